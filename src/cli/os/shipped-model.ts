/** The model that comes with the repository. */
import { fileURLToPath } from "node:url";

export const shippedModel: string = fileURLToPath(
  new URL("../../../models/kernel", import.meta.url),
);
