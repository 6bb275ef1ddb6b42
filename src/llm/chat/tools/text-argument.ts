/** @returns the argument when it is text; undefined for anything else, whatever `args` is */
export function textArgument(args: unknown, name: string): string | undefined {
  if (typeof args !== "object" || args === null || !Object.hasOwn(args, name)) return undefined;
  const value = (args as Record<string, unknown>)[name];
  return typeof value === "string" ? value : undefined;
}
