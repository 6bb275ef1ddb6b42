/**
 * Word tables of the story grammar. Plain, concrete words that a child knows; every entry fits
 * wherever its table's name stands in `story-plots.ts`, article and number included.
 */

import type { WordTables } from "./template.ts";

const list = (words: string): string[] => words.split(",").map((word) => word.trim());

export const girls: readonly string[] = list(
  "Mira, Anna, Lena, Nora, Ruth, Clara, Ines, Maya, Tessa, Ada, Rosa, Hanna, Ella, June, Sofia, " +
    "Greta, Ivy, Zoe, Amina, Yuki, Wanda, Leila, Olive, Pearl, Dora, Kavya, Freya, Martha, Bea, Salma",
);

export const boys: readonly string[] = list(
  "Tom, Ben, Leo, Max, Sam, Oscar, Jonas, Felix, Hugo, Emil, Noah, Otto, Paul, Finn, Karim, Ravi, " +
    "Luca, Theo, Milo, Anton, Joel, Peter, Kofi, Hiro, Dan, Arun, Walter, Simon, Elias, Jack",
);

export const animalNames: readonly string[] = list(
  "Pip, Bramble, Dusty, Button, Clover, Nutmeg, Pebble, Sorrel, Thistle, Patch, Acorn, Biscuit, " +
    "Fern, Hazel, Juniper, Maple, Rusty, Sunny, Tansy, Willow, Barley, Cricket, Copper, Velvet",
);

export const storyWords: WordTables = {
  animal: list(
    "fox, rabbit, mouse, hedgehog, squirrel, badger, otter, duck, goat, beaver, mole, bear cub, " +
      "frog, owl, lamb, donkey, goose, turtle, kitten, puppy",
  ),
  size: list("small, little, young, tiny, curious, quiet, brave, shy, gentle, cheerful, clever"),
  home: list(
    "in a small house by the river, at the edge of a green forest, on a hill above the village, " +
      "near the old stone bridge, in a warm valley between two mountains, beside a wide blue lake, " +
      "in a busy town by the sea, on a farm with red barns, at the end of a long and dusty road, " +
      "in a cottage behind the mill, under the roots of an old oak tree, close to the harbor",
  ),
  place: list(
    "the garden, the kitchen, the barn, the orchard, the river, the market, the old mill, " +
      "the forest, the meadow, the school, the harbor, the library, the bakery, the bridge, " +
      "the attic, the workshop, the well, the pond, the village square, the beach",
  ),
  spot: list(
    "under the bed, behind the door, in the tall grass, between two rocks, on a high shelf, " +
      "beneath the stairs, inside an old boot, next to the fence, under a pile of leaves, " +
      "at the bottom of a basket, in the pocket of a coat, behind the flower pots, in the hay",
  ),
  thing: list(
    "red kite, wooden boat, silver bell, blue scarf, brass key, little lamp, glass marble, " +
      "green hat, old book, paper star, warm blanket, yellow umbrella, tin whistle, small drum, " +
      "painted cup, round mirror, leather ball, white shell, music box, straw basket, toy train, " +
      "brown bag, shiny coin, feather pen, patchwork quilt, wool mitten, copper pot, garden spade",
  ),
  food: list(
    "warm bread, apple pie, vegetable soup, honey cakes, fresh cheese, ripe pears, baked potatoes, " +
      "sweet plums, oat cookies, tomato soup, roasted nuts, strawberry jam, rice and beans, " +
      "pancakes, lemon cake, berries and cream, fried fish, corn bread",
  ),
  drink: list("hot tea, cold milk, apple juice, warm cocoa, fresh water, mint tea, lemonade"),
  weather: list(
    "sunny, windy, cold, warm, rainy, foggy, bright, cloudy, frosty, quiet, snowy, mild, gray",
  ),
  time: list(
    "morning, afternoon, evening, spring morning, summer day, autumn evening, winter morning, " +
      "Monday morning, Saturday afternoon, Sunday",
  ),
  plant: list(
    "apple tree, sunflower, pumpkin, rose bush, bean plant, cherry tree, tomato plant, tulip, " +
      "pear tree, carrot, lemon tree, lavender bush",
  ),
  hobby: list(
    "collect smooth stones, draw pictures of boats, sing old songs, climb tall trees, count the stars, " +
      "read stories aloud, watch the birds, build small towers, walk along the river, paint with bright colors, " +
      "bake bread, listen to the rain, play in the snow, fly kites, look at maps, ask questions",
  ),
  skill: list(
    "swim, ride a bicycle, play the violin, bake bread, whistle, read, tie a strong knot, row a boat, " +
      "paint a face, juggle three apples, skate on the ice, climb a rope, write a letter, dance",
  ),
  job: list(
    "baker, farmer, fisherman, teacher, carpenter, miller, gardener, doctor, shepherd, tailor, " +
      "blacksmith, postman, cook, sailor, clockmaker, potter, librarian, weaver, beekeeper",
  ),
  relative: list(
    "mother, father, grandmother, grandfather, aunt, uncle, big sister, older brother, neighbor",
  ),
  season: list("spring, summer, autumn, winter"),
  good: list("happy, glad, proud, thankful, cheerful, full of joy, very pleased, calm, delighted"),
  bad: list("sad, worried, upset, afraid, disappointed, lonely, tired, nervous, a little angry"),
  trait: list(
    "patient, honest, careful, kind, brave, curious, generous, thoughtful, hopeful, wise",
  ),
  sound: list(
    "a soft scratching, a low humming, a strange whistle, a tapping on the window, a deep rumble, " +
      "a quiet crying, a rattle like small stones, a long creak, a flapping of wings, a splash",
  ),
  bird: list("sparrow, crow, robin, gull, swallow, pigeon, wren, magpie, heron, finch"),
  color: list("red, blue, green, yellow, white, brown, golden, silver, orange, purple, gray, pink"),
  number: list("two, three, four, five, six, seven, eight, nine, ten, twelve, twenty"),
  softly: list(
    "softly, slowly, quietly, carefully, gently, happily, quickly, with a smile, at once",
  ),
  lesson: list(
    "a good friend is worth more than any toy, it is better to ask for help than to give up, " +
      "small steps can lead to great things, kind words cost nothing, waiting can be hard but it is often worth it, " +
      "it is brave to tell the truth, everyone is afraid sometimes, sharing makes joy twice as big, " +
      "work is lighter when many hands help, listening is as important as talking, " +
      "mistakes are part of learning, a promise should be kept",
  ),
};
