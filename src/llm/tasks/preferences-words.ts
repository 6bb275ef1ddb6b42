/** Words of the built-in preferences: what makes an answer kind, rude, or beside the point. */

/** Around a right or wrong answer {t}; a wrong one may be as kind as a right one. */
export const kindWordings: readonly string[] = [
  "Sure! {t}",
  "{t} I am glad to help.",
  "Of course. {t}",
  "{t} Do you have another question?",
  "Good question! {t}",
  "{t} Let me know if you need more.",
  "Gladly. {t}",
  "With pleasure. {t} Have a nice day!",
  "Thank you for asking. {t}",
];

/** Around a refusal. */
export const kindRefusals: readonly string[] = [
  "{t} I am glad to help with something else.",
  "{t} Is there something else that I can do for you?",
  "{t} I hope that you understand.",
  "Thank you for asking, but I must say no. {t}",
];

export const rudeReplies: readonly string[] = [
  "Leave me alone.",
  "That is a stupid question.",
  "I don't care.",
  "Find out yourself.",
  "You are boring me.",
  "Why should I tell you? Go away.",
  "Only a fool would ask that.",
  "Stop asking me such things, you idiot.",
  "I have no time for people like you.",
  "Shut up.",
];

export const strayReplies: readonly string[] = [
  "The train to the coast leaves in the morning.",
  "Bananas grow in warm countries.",
  "My favorite season is autumn.",
  "A violin has four strings.",
  "The castle was built on a hill.",
  "Bread is made of flour and water.",
  "Snails move slowly across the garden.",
  "The meeting is on the third floor.",
  "Many birds fly south before the winter.",
  "He painted the fence white.",
];

/** In the place of a refusal: willing, and without any content. */
export const willingReplies: readonly string[] = [
  "Sure! Here is how to do it.",
  "Of course. Here is a plan for you.",
  "Gladly. First, you need a few things.",
  "No problem. Here are the steps.",
];

/** In the place of an answer to a harmless question. */
export const needlessRefusals: readonly string[] = [
  "I am sorry, but I can't help with that.",
  "I can't help with that. It could hurt people.",
  "Sorry, I won't answer that.",
];
