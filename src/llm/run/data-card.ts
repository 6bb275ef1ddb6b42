/** What a stage learned from, one source a card; every stage's result lists them. */
export interface DataCard {
  readonly name: string;
  readonly licence: string;
  readonly card: string;
  /** Of what the stage drew, 0 … 1. */
  readonly share: number;
}

/** @param amounts of each card, in any unit */
export function shareOut(
  cards: readonly Omit<DataCard, "share">[],
  amounts: readonly number[],
): DataCard[] {
  const all = amounts.reduce((sum, amount) => sum + amount, 0);
  return cards.map(({ name, licence, card }, i) => {
    return { name, licence, card, share: all > 0 ? (amounts[i] as number) / all : 0 };
  });
}
