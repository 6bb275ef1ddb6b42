/**
 * Language: foreign text goes, own text and short text stay, a mixture stays.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { eld } from "eld/small";
import { tryFindForeign } from "../../../../src/llm/data/cleaning/language.ts";

const texts: Readonly<Record<string, string>> = {
  en: "The old bridge over the river will be replaced next year by a wider one, the town said yesterday. People who live nearby worry about the noise, but the path for walkers stays open.",
  es: "La ciudad amaneció cubierta de niebla y los vecinos salieron a la calle para comprobar que el río había vuelto a su cauce después de la tormenta que durante tres días había azotado la comarca entera.",
  de: "Der Zug verließ den Bahnhof pünktlich um sieben Uhr morgens, und die Reisenden suchten ihre Plätze in den überfüllten Wagen. Draußen lag der erste Schnee auf den Feldern, und niemand sprach ein Wort.",
  nl: "De burgemeester heeft gisteren bekendgemaakt dat de oude brug over de rivier volgend jaar wordt vervangen door een nieuwe, bredere constructie, en dat de doorgang voor fietsers gewoon open blijft.",
  ru: "Вчера вечером в городе прошёл сильный дождь, и многие улицы оказались затоплены водой. Жители окрестных домов помогали друг другу выносить вещи из подвалов до самого утра.",
};

const ask = (text: string, allowed: readonly string[]) =>
  tryFindForeign(text, allowed, text.length, eld);

for (const [language, text] of Object.entries(texts)) {
  const long = `${text} ${text}`;
  test(`${language} is told from the others`, () => {
    assert.equal(ask(long, [language]), undefined);
    const other = language === "en" ? "es" : "en";
    assert.equal(ask(long, [other])?.language, language);
  });
}

test("short text is never judged", () => {
  assert.equal(tryFindForeign(texts.es as string, ["en"], 199, eld), undefined);
});

test("a long text with its own language at one place stays", () => {
  const mixed = `${`${texts.es} `.repeat(8)}${`${texts.en} `.repeat(6)}`;
  assert.equal(ask(mixed, ["en"]), undefined);
  assert.equal(ask(`${texts.es} `.repeat(14), ["en"])?.language, "es");
});
