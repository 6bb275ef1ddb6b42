/** Every op there is. Backends and the gradient test must cover each row. */

import type { Op } from "../graph.ts";
import { constantOp, inputOp, stateOp } from "../graph.ts";
import { adamwOp } from "./adamw.ts";
import { allowIdsOp } from "./allow-ids.ts";
import { attentionGradOp, attentionOp } from "./attention.ts";
import { broadcastOp, sumOp } from "./broadcast.ts";
import { dequantizeOp } from "./dequantize.ts";
import { castOp, elementwiseOps } from "./elementwise.ts";
import { embeddingGradOp, embeddingOp } from "./embedding.ts";
import { linearCrossEntropyGradOp, linearCrossEntropyOp } from "./linear-cross-entropy.ts";
import { matmulOp } from "./matmul.ts";
import { quantLinearOp } from "./quant-linear.ts";
import { randomUniformOp } from "./random-uniform.ts";
import { maxOp } from "./reduce.ts";
import { reshapeOp } from "./reshape.ts";
import { rmsNormGradOp, rmsNormOp } from "./rms-norm.ts";
import { ropeOp } from "./rope.ts";
import { sampleRowsOp } from "./sample-rows.ts";
import { padOp, sliceOp } from "./slice.ts";
import { sumSquaresOp } from "./sum-squares.ts";
import { transposeOp } from "./transpose.ts";
import { writeRowsOp } from "./write-rows.ts";

const all: readonly Op[] = [
  ...[inputOp, stateOp, constantOp],
  ...Object.values(elementwiseOps),
  castOp,
  ...[reshapeOp, broadcastOp, transposeOp, sliceOp, padOp],
  ...[sumOp, maxOp, sumSquaresOp],
  ...[matmulOp, linearCrossEntropyOp, linearCrossEntropyGradOp],
  ...[quantLinearOp, dequantizeOp],
  ...[rmsNormOp, rmsNormGradOp, ropeOp, attentionOp, attentionGradOp],
  ...[embeddingOp, embeddingGradOp, writeRowsOp],
  ...[allowIdsOp, sampleRowsOp],
  ...[adamwOp, randomUniformOp],
];

export const ops: ReadonlyMap<string, Op> = new Map(all.map((op) => [op.name, op]));
