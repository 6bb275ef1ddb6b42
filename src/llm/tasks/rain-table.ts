/**
 * Everyday causes and the thing that they ask for: common sense as a table. A cause stands after
 * "because" and before "so" alike; `more` are other words for the same cause; a thing stands with
 * its article.
 */

export interface RainRow {
  readonly causes: readonly string[];
  /** After "I should". */
  readonly act: string;
  /** With its article, if any: `an umbrella`, `sunglasses`. */
  readonly thing: string;
}

const row = (causes: string, act: string, thing: string): RainRow => ({
  causes: causes.split("|"),
  act,
  thing,
});

export const rainTable: readonly RainRow[] = [
  row(
    "it's raining|it is raining|it looks like rain|there are dark clouds",
    "bring",
    "an umbrella",
  ),
  row("it's cold|it is cold outside|it is freezing|winter is here", "wear", "a coat"),
  row("it's snowing|it is snowing|snow lies on the road|my feet get cold", "wear", "boots"),
  row("it's dark|it is dark outside|the power is out|there is no light", "use", "a flashlight"),
  row("the sun is bright|it's sunny|the light hurts my eyes", "wear", "sunglasses"),
  row("my hands are cold|my fingers freeze|it is icy and my hands hurt", "wear", "gloves"),
  row("I'm thirsty|I am thirsty|my mouth is dry|I ran a long way", "drink", "water"),
  row("I'm hungry|I am hungry|I had no breakfast|my stomach growls", "eat", "a sandwich"),
  row("I'm tired|I am tired|it is late at night|I did not sleep", "go to", "bed"),
  row("the soup is hot|I eat soup|I want to eat my soup", "use", "a spoon"),
  row("I want to cut bread|the bread is whole|I have to slice bread", "use", "a knife"),
  row("the floor is dusty|there are crumbs on the floor|the floor is dirty", "use", "a broom"),
  row("the door is locked|I locked the door|I can't open the lock", "use", "a key"),
  row("my hair is a mess|my hair is tangled|the wind blew my hair", "use", "a comb"),
  row(
    "my teeth feel dirty|I have just eaten sweets|it is time for my teeth",
    "use",
    "a toothbrush",
  ),
  row("my hands are dirty|I dug in the garden|I touched mud with my hands", "use", "soap"),
  row("I'm wet|I am wet from the pool|I just had a shower", "use", "a towel"),
  row("I have to write a letter|I want to write my name|I must sign this", "use", "a pen"),
  row("I want to see far|the bird is far away|I watch ships at sea", "use", "binoculars"),
  row("I want to know the time|I must not be late|I need to be on time", "check", "the clock"),
  row("I'm sick|I am sick|I have a high fever", "see", "a doctor"),
  row("my tooth hurts|I have a toothache|my tooth is broken", "see", "a dentist"),
  row("I cut my finger|my knee bleeds|I have a small wound", "use", "a bandage"),
  row("I have a cold and my nose runs|my nose runs|I have to sneeze", "use", "a tissue"),
  row("the nail sticks out|I have to hang a picture|I want to drive in a nail", "use", "a hammer"),
  row("the screw is loose|I have to turn a screw|a screw fell out", "use", "a screwdriver"),
  row("the paper is too wide|I want to cut paper|I have to cut a ribbon", "use", "scissors"),
  row(
    "the lamp is too high to reach|I must reach the roof|the apples hang high",
    "use",
    "a ladder",
  ),
  row("the plants are dry|the flowers need water|the garden is dry", "use", "a watering can"),
  row("I want to dig a hole|I plant a tree|the snow blocks the door", "use", "a shovel"),
  row("I ride a bicycle|I go by bike|I ride down the hill on my bike", "wear", "a helmet"),
  row("I'm in the car|I sit in a car|the car starts to move", "fasten", "the seat belt"),
  row("I go swimming|I want to swim|I go to the pool", "wear", "a swimsuit"),
  row(
    "I go out in a boat|I can't swim and the boat is small|we sail on the lake",
    "wear",
    "a life jacket",
  ),
  row("I'm lost|I am lost in the city|I don't know the way", "look at", "a map"),
  row("I want to find north|I am lost in the forest|the ship needs a course", "use", "a compass"),
  row("I take the train|I want to go by train|the train leaves soon", "buy", "a ticket"),
  row("I fly to another country|I cross the border|I travel abroad", "bring", "a passport"),
  row("I go on a long trip|I pack my clothes|I travel for a week", "pack", "a suitcase"),
  row("I sleep in the forest|I go camping|we spend the night outdoors", "bring", "a tent"),
  row("the letter is ready|I want to send a letter|I post a letter", "use", "a stamp"),
  row(
    "I want to call my mother|I must talk to my friend|I need to call for help",
    "use",
    "a phone",
  ),
  row(
    "I want to take a picture|the view is lovely and I want to keep it|we make a photo",
    "use",
    "a camera",
  ),
  row("I can't see well|the letters look blurred|my eyes are weak", "wear", "glasses"),
  row("I want to borrow a novel|I like to read for free|I look for books", "visit", "the library"),
  row("there is no bread at home|I want fresh bread|we are out of bread", "visit", "the bakery"),
  row("the house is on fire|I see flames|the kitchen burns", "call", "the fire department"),
  row("somebody broke into my house|a thief took my bag|my car was stolen", "call", "the police"),
  row("the cat is hungry|my cat meows at its bowl|the cat wants to eat", "get", "cat food"),
  row("the dog wants to go out|I walk the dog|the dog runs away in the street", "use", "a leash"),
  row("my dog is ill|my cat is sick|the rabbit does not eat", "see", "a vet"),
  row("my shoe is open|my shoe came off|my shoe is loose", "tie", "the laces"),
  row("a button fell off|my shirt has a tear|my sleeve is torn", "use", "a needle"),
  row("my shirt is creased|my trousers have folds|the shirt is not smooth", "use", "an iron"),
  row(
    "my clothes are dirty|my socks smell|the laundry basket is full",
    "use",
    "the washing machine",
  ),
  row("the tea is bitter|the coffee is not sweet|I want sweet tea", "add", "sugar"),
  row("the soup has no taste|the potatoes are bland|the egg has no taste", "add", "salt"),
  row("the room is too warm|the air is bad in here|it is stuffy in the room", "open", "a window"),
  row("the milk gets warm|the butter melts|I want the milk to stay fresh", "use", "the fridge"),
  row("the bin is full|the rubbish smells|the trash is full", "take out", "the trash"),
  row(
    "it is my friend's birthday|I go to a birthday party|my friend turns ten",
    "bring",
    "a present",
  ),
  row(
    "the picture is crooked|I want a straight line|I have to draw a straight line",
    "use",
    "a ruler",
  ),
];
