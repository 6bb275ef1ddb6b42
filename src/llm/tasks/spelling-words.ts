/** Plain words of three to eight letters for the spelling tasks. */

export const spellingWords: readonly string[] = (
  "cat dog sun sea hat bed box cup day egg fox key leg map net pen pig rat red sky ten toy " +
  "van web zoo arm bag bus car cow ear eye fan hen ice jam leaf lamp moon milk nest nose " +
  "rain ring road rock rose salt sand seed ship shoe snow soap sock soup star tail tent " +
  "tree wall wave wind wolf wood wool year apple beach bread brick brush chair cheese cloud " +
  "coat cookie corn door dream dress drum duck earth field fire fish flower forest friend " +
  "frog fruit garden ghost glass grape grass green hand heart honey horse house island " +
  "jacket juice king kite knife ladder lemon letter light lion market meadow mirror money " +
  "monkey month mother mountain mouse mouth music needle night number ocean onion orange " +
  "paper parrot party pencil pepper picture pillow planet plant pocket potato queen rabbit " +
  "river robot rocket sailor school scissors shadow sheep shirt silver sister spider spoon " +
  "spring square stone story street sugar summer table teacher thunder tiger tomato tooth " +
  "tower train travel turtle uncle valley village violin voice walnut water weather whale " +
  "wheel window winter wisdom wizard world yellow zebra banana basket battle bicycle " +
  "blanket bottle bridge butter button camera candle carrot castle circle circus coffee " +
  "corner cotton dinner doctor dolphin dragon engine evening family farmer feather finger " +
  "football giraffe hammer harbor hunter kitchen kitten library lizard machine morning " +
  "muffin nature parent penguin people pirate pizza pumpkin puppy purple puzzle sandwich " +
  "season secret signal singer soccer station stomach student sunset ticket towel tunnel " +
  "umbrella vacation whisper"
).split(" ");
