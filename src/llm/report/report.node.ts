/** Writes a report card beside a grown model: for people, for programs, and what it came from. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { diskError, replaceFile } from "../../durable-file.node.ts";
import { composeReport } from "./compose.ts";
import { renderReportHtml } from "./html.ts";
import { renderReportJson } from "./json.ts";
import { renderReportMarkdown } from "./markdown.ts";
import type { GrowRecord } from "./record.ts";

export interface ReportFiles {
  readonly markdown: string;
  readonly html: string;
  readonly json: string;
  readonly record: string;
}

/**
 * Writes `report.md` with its pictures, `report.html`, `report.json` and `record.json`, each whole
 * or not at all. @returns their paths  @throws DISK
 */
export async function writeReport(folder: string, record: GrowRecord): Promise<ReportFiles> {
  const at = (name: string): string => join(folder, name);
  const files: ReportFiles = {
    markdown: at("report.md"),
    html: at("report.html"),
    json: at("report.json"),
    record: at("record.json"),
  };
  const texts: [path: string, text: string][] = [
    [files.record, `${JSON.stringify(record)}\n`],
    [files.json, renderReportJson(record)],
    ...composeReport(record).blocks.flatMap((block): [string, string][] =>
      block.kind === "figure" ? [[at(block.file), block.svg]] : [],
    ),
    [files.markdown, renderReportMarkdown(record)],
    [files.html, renderReportHtml(record)],
  ];
  for (const [path, text] of texts) await write(folder, path, text);
  return files;
}

async function write(folder: string, path: string, text: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await replaceFile(path, text);
  } catch (error) {
    throw diskError(path, error, "The models are intact. Then write the report again.");
  }
}
