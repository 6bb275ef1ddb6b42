/**
 * A model whose rows are whole blocks, for formats that keep 32 weights together: where the width
 * of the MLP leaves a part of a block over, units of zeros are added. Their gate is silu(0) = 0 and
 * their rows of the way back are 0, so the model computes what it did, term for term.
 */
import { BLOCK } from "../../compute/quants.ts";
import { parameterSpecs } from "../model/parameters.ts";
import type { ExportModel } from "./export-model.node.ts";

/** @returns the model itself where its MLP has whole blocks */
export function withWholeBlocks(model: ExportModel): ExportModel {
  const { nFfn } = model.config;
  const wide = Math.ceil(nFfn / BLOCK) * BLOCK;
  if (wide === nFfn) return model;
  const config = { ...model.config, nFfn: wide };
  const shapes = new Map(parameterSpecs(config).map(({ name, shape }) => [name, shape]));
  return {
    ...model,
    config,
    async read(name) {
      const values = await model.read(name);
      const [rows = 0, columns = 1] = shapes.get(name) ?? [];
      if (values.length === rows * columns) return values;
      const wider = new Float32Array(rows * columns);
      const before = name.endsWith("down_proj.weight") ? nFfn : columns;
      for (let row = 0; row * before < values.length; row++)
        wider.set(values.subarray(row * before, (row + 1) * before), row * columns);
      return wider;
    },
  };
}
