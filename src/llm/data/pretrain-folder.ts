/**
 * The known folders of the pretraining mixture that may lie beside a checkout, with their licence
 * and weight. A folder that holds any of these names is read by this table; its README gives
 * where each text comes from. Any other folder is weighted by size.
 */

export interface KnownFolder {
  readonly weight: number;
  readonly licence: string;
}

export const knownFolders: Readonly<Record<string, KnownFolder>> = {
  wikipedia: { weight: 0.3, licence: "CC BY-SA 3.0" },
  books: { weight: 0.15, licence: "public domain" },
  news_wikinews: { weight: 0.12, licence: "CC BY 2.5" },
  textbooks_openstax: { weight: 0.1, licence: "CC BY 4.0" },
  web_digitalgov: { weight: 0.08, licence: "CC0" },
  stories: { weight: 0.06, licence: "CDLA-Sharing-1.0, CC BY per story" },
  docs_python: { weight: 0.05, licence: "PSF-2.0" },
  qa_medquad: { weight: 0.04, licence: "CC BY 4.0" },
  dialogue_topicalchat: { weight: 0.04, licence: "CDLA-Sharing-1.0" },
  commands_tldr: { weight: 0.03, licence: "CC BY 4.0" },
  qa_trivia: { weight: 0.03, licence: "CC BY-SA 4.0" },
};
