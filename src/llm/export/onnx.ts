/**
 * ONNX's messages, as far as a transformer needs them. Field numbers are those of onnx.proto3;
 * nodes are in the order in which they are computed and speak to each other by name.
 */
import {
  floatField,
  intField,
  type LateBytes,
  type Message,
  messageField,
  stringField,
} from "./protobuf.ts";

/** onnx.TensorProto.DataType */
export const DATA_TYPE = { float: 1, int64: 7, bool: 9, float16: 10, bfloat16: 16 } as const;

export type DataType = keyof typeof DATA_TYPE;

/** A list of numbers is one of integers. */
export type Attributes = Readonly<Record<string, number | readonly number[]>>;

export interface Initializer {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array | LateBytes;
}

/** An input or output: sizes that are not known have a name. */
export interface Port {
  readonly name: string;
  readonly type: DataType;
  readonly shape: readonly (number | string)[];
}

export interface OnnxGraph {
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  readonly nodes: readonly Message[];
  readonly initializers: readonly Initializer[];
}

const [FLOAT, INT, INTS] = [1, 2, 7] as const;

function attribute(name: string, value: number | readonly number[]): Message {
  const list = typeof value !== "number";
  const whole = list || Number.isInteger(value);
  return [
    ...stringField(1, name),
    ...(list
      ? value.flatMap((item) => intField(8, item))
      : whole
        ? intField(3, value)
        : floatField(2, value)),
    ...intField(20, list ? INTS : whole ? INT : FLOAT),
  ];
}

/** NodeProto. An input "" is one that is left out. */
export function node(
  operator: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: Attributes = {},
): Message {
  return [
    ...inputs.flatMap((name) => stringField(1, name)),
    ...outputs.flatMap((name) => stringField(2, name)),
    ...stringField(3, outputs[0] as string),
    ...stringField(4, operator),
    ...Object.entries(attributes).flatMap(([name, value]) =>
      messageField(5, attribute(name, value)),
    ),
  ];
}

function initializer({ name, type, shape, bytes }: Initializer): Message {
  return [
    ...shape.flatMap((size) => intField(1, size)),
    ...intField(2, DATA_TYPE[type]),
    ...stringField(8, name),
    ...messageField(9, [bytes]),
  ];
}

function port({ name, type, shape }: Port): Message {
  const sizes = shape.flatMap((size) =>
    messageField(1, typeof size === "number" ? intField(1, size) : stringField(2, size)),
  );
  const tensor = [...intField(1, DATA_TYPE[type]), ...messageField(2, sizes)];
  return [...stringField(1, name), ...messageField(2, messageField(1, tensor))];
}

/** ModelProto. @param metadata shown by viewers */
export function modelProto(
  graph: OnnxGraph,
  opset: number,
  metadata: Readonly<Record<string, string>>,
): Message {
  const body = [
    ...graph.nodes.flatMap((message) => messageField(1, message)),
    ...stringField(2, "nutshell"),
    ...graph.initializers.flatMap((tensor) => messageField(5, initializer(tensor))),
    ...graph.inputs.flatMap((one) => messageField(11, port(one))),
    ...graph.outputs.flatMap((one) => messageField(12, port(one))),
  ];
  const entries = Object.entries(metadata).flatMap(([name, value]) =>
    messageField(14, [...stringField(1, name), ...stringField(2, value)]),
  );
  return [
    ...intField(1, 8),
    ...stringField(2, "nutshell"),
    ...messageField(7, body),
    ...messageField(8, intField(2, opset)),
    ...entries,
  ];
}
