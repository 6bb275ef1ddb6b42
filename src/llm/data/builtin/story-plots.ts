/**
 * Plots of the story grammar. A plot is a list of beats, a beat a list of templates of which one is
 * told; causes come before effects because beats come in order. {hero}, {friend}, {elder} and their
 * pronouns ({he} {him} {his}, {fhe} {fhim} {fhis}, {ehe}) are bound before a plot starts.
 */

export type Plot = readonly (readonly string[])[];

const opening: readonly string[] = [
  "[Once upon a time|Long ago|Many years ago], {who} named {hero} lived {home}. {He} loved to {hobby}[| more than anything else].",
  "There was once {who} named {hero}, who lived {home}. [Every day|Each evening|Whenever there was time], {he} liked to {hobby}.",
  "{Hero} was {who} who lived {home}. [Everybody knew|The neighbors said] that {hero} was {trait}[ and liked to {hobby}|].",
  "In a house {home2=home}, there lived {who}. {His} name was {hero}, and {he} loved to {hobby}.",
];

const ending: readonly string[] = [
  "From that day on, {hero} [knew|understood|never forgot] that {lesson}.",
  "That night, {hero} went to bed {good} and dreamed of {place}.",
  '"Today I learned that {lesson}," said {hero}. {Friend} [nodded|smiled and agreed|laughed].',
  "{Hero} and {friend} stayed [good|close|the best of] friends, and they often [talked|laughed] about that {time}.",
  "And [when the sun went down|as the stars came out], they ate {food} together and felt {good}.",
  "Since then, whenever it is {weather}, {hero} thinks of {friend} and smiles.",
];

const meal: readonly string[] = [
  "Afterward they [shared|ate] {food} and drank {drink}.",
  "{Elder} gave them {food}[ and a cup of {drink}|], because they had worked so hard.",
  "They sat down [in the shade|by the fire|on the steps] and [ate {food}|drank {drink}|told each other stories].",
];

const lost: Plot = [
  opening,
  [
    "One {weather} {time}, {hero} could not find {his} {toy=thing}. {He} looked {spot}, but it was not there.",
    "On a {weather} {time}, {hero} wanted to play with {his} {toy=thing}, but it was gone. {He} felt {bad}.",
  ],
  [
    '"Where is my {toy}?" asked {hero}. "I had it yesterday near {place}."',
    "{He} searched {spot} and {spot}. {He} even went to {place}, but {he} found only a {thing}.",
    '{Hero} asked {elder}, "Have you seen my {toy}?" {Elder} shook {ehis} head and said, "[No, but think about where you had it last|I have not seen it today|Maybe you left it near {place}]."',
  ],
  [
    'Then {hero} met {friend}. "Why do you look so {bad}?" asked {friend}. "I have lost my {toy}," said {hero}. "[I will help you|Let us look together|Two can see more than one]," said {friend}.',
    '{Friend} came along the road. "Do not worry," {fhe} said. "We will find your {toy} together."',
  ],
  [
    "They went to {spot1=place} and looked everywhere. At last, {friend} saw something {color} {spot}. It was the {toy}!",
    "First they looked {spot}. Then they looked {spot}. Finally, near {place}, they found the {toy}. [The wind had carried it there|A {bird} had taken it to build a nest|It had fallen out of a bag].",
    "A {bird} was sitting near {place}, and under the {bird} lay the {toy}. It had taken it because it was so {color} and shiny.",
  ],
  [
    '"Thank you!" {hero} cried. "Without you, I would still be looking." {Friend} was {good}.',
    "{Hero} was so {good} that {he} gave {friend} a hug. Then they went home {softly}.",
    "{Hero} held the {toy} {softly}. Because {friend} had helped {him}, {he} let {fhim} play with it [all afternoon|until evening|as long as {fhe} wanted].",
  ],
  ending,
];

const helping: Plot = [
  opening,
  [
    "One {weather} {time}, {hero} was walking to {place} when {he} heard {sound}. It was {friend}, who had [fallen into a deep hole|got stuck in the mud|hurt a foot on a sharp stone|lost the way in the fog].",
    'One {time}, {friend} came running from {place}. ["My boat is sinking!"|"My house is full of water!"|"The wind took my roof!"|"The door is locked and I am outside!"] {fhe} cried.',
  ],
  [
    "{Hero} tried to [pull|push|lift], but {he} was not strong enough. {He} felt {bad}, but {he} did not give up.",
    "At first, {hero} did not know what to do. {He} sat down and thought for a while.",
    '"Wait here," said {hero}. "I have an idea." {He} ran to {place} as fast as {he} could.',
  ],
  [
    "{He} found a [long rope|strong branch|wooden board|heavy ladder] {spot} and carried it back. [Slowly|Step by step|After a long time], it worked.",
    'Then {hero} called {elder} the {job}. {Elder} brought a {thing} and said, "If we all help, we can do it." And they did.',
    "Together they [counted to three|worked until the evening|took a deep breath] and tried again. This time, it worked!",
  ],
  [
    '"You saved me," said {friend}. "How can I thank you?" "[You would do the same for me|There is no need to thank me|Just be my friend]," said {hero}.',
    "{Friend} was safe again and very thankful. {Fhe} gave {hero} a {gift=thing} as a present.",
  ],
  meal,
  ending,
];

const making: Plot = [
  opening,
  [
    "Soon it would be {friend}'s birthday, and {hero} wanted to make a [present|surprise] for {fhim}. {He} decided to [make a {gift=thing}|build a {gift=thing}|paint a {gift=thing}].",
    'One {weather} {time}, {elder} the {job} said to {hero}, "The winter will be long. We should make a {gift=thing} for {friend}." {Hero} thought it was a good idea.',
  ],
  [
    "But {he} had no [wood|paint|wool|paper|glue]. So {he} went to {place} to look for some.",
    "{He} worked all {time}, but the first one broke. {Hero} was {bad}, and {he} wanted to stop.",
    "{He} needed {number} nails and some {color} paint, but there was nothing in the house.",
  ],
  [
    'At {place}, {he} met a {job}. "I will give you what you need," said the {job}, "if you help me to carry these {number} bags." {Hero} agreed, and they carried the bags [up the hill|to the boat|into the house].',
    '"Try again," said {elder}. "[Nobody is good at something the first time|Take your time and use both hands|The second one will be better]." So {hero} tried again, and it was better.',
    "{He} looked {spot} and found exactly what {he} needed. Then {he} worked until the stars came out.",
  ],
  [
    "When the {gift} was finished, it was {color} and {color}, and {hero} was {good}.",
    "At last, the {gift} was ready. It was not perfect, but it was made with love.",
  ],
  [
    '{Friend} opened the box {softly}. "A {gift}! Did you make it yourself?" {fhe} asked. "Yes," said {hero}, "[it took me {number} days|I made it just for you|{elder} helped me a little]."',
    '"This is the best present I have ever had," said {friend}. {Fhe} put the {gift} {spot}, where everybody could see it.',
  ],
  meal,
  ending,
];

const quarrel: Plot = [
  opening,
  [
    "{Hero} and {friend} were friends. One {weather} {time}, they found a {toy=thing} near {place}. Both of them wanted to have it.",
    "One {weather} {time}, {friend} came to visit. {Hero} had a new {toy=thing}, but {he} did not want to share it.",
  ],
  [
    '"It is mine!" said {hero}. "I saw it first!" "No, it is mine!" said {friend}. They pulled and pulled until the {toy} broke.',
    '"May I play with it too?" asked {friend}. "No," said {hero}, "you will break it." {Friend} felt {bad} and went home.',
  ],
  [
    "Now {hero} was alone. The {toy} was no fun without a friend. {He} looked out of the window and felt {bad}.",
    '{Hero} told {elder} about it. {Elder} listened and then asked, "What is more important to you, the {toy} or {friend}?" {Hero} thought about it for a long time.',
    "They did not talk for {number} days. {Hero} went to {place} alone, and {friend} stayed at home.",
  ],
  [
    'Then {hero} went to {friend} and said, "I am sorry. I was not fair to you." "I am sorry too," said {friend}.',
    '{Hero} knocked at the door {softly}. "I am sorry," {he} said. "Will you come and play with me?" {Friend} smiled. "Yes," {fhe} said, "I have missed you."',
  ],
  [
    "They repaired the {toy} with some {color} string, and now it belonged to both of them.",
    "They took turns with the {toy}. First {hero} played with it, and then {friend}. It was much more fun together.",
  ],
  ending,
];

const storm: Plot = [
  opening,
  [
    "One {time}, dark clouds came over the hills. The wind grew strong, and soon it began to rain. {Hero} was far away from home, near {place}.",
    "One night, a great storm came from the sea. The windows shook, and {hero} heard {sound}. {He} was {bad}.",
  ],
  [
    '{He} ran to {place} and hid {spot}. There {he} met {friend}, who was {bad} too. "May I sit next to you?" {fhe} asked.',
    '{He} could not sleep, so {he} went to {elder}. "[The storm is loud, but it cannot come in|It is only the wind|The rain is good for the garden]," said {elder}, and lit a lamp.',
  ],
  [
    "To forget the storm, they [sang a song|told each other stories|counted the seconds between the lightning and the thunder|talked about {food}]. The thunder was loud, but together they were not so afraid.",
    '"Are you afraid?" asked {friend}. "A little," said {hero}, "but it is better when you are here."',
  ],
  [
    "In the morning, the sun came out. The air was fresh, and the fields were {color} and wet. A tree had fallen across the road, so they climbed over it.",
    "After an hour, the rain stopped. There was a rainbow over {place}, and everything was quiet again.",
  ],
  [
    'When {hero} came home, {elder} was {good}. "[I was so worried|There you are|I am glad you are safe]," {ehe} said and gave {him} {food}.',
    "The storm had broken the fence, so everyone came to repair it. {Hero} carried wood, {friend} held the nails, and {elder} brought {drink}.",
  ],
  ending,
];

const newcomer: Plot = [
  opening,
  [
    "One {weather} {time}, a new family moved into the house near {place}. They had {number} boxes and a {thing}. {Friend} was one of them, but {fhe} was too shy to say hello.",
    "A stranger came to the village. {Fhis} name was {friend}, and {fhe} did not know anyone. {Fhe} sat alone near {place} and felt {bad}.",
  ],
  [
    '{Hero} walked up to {fhim} and said, "Hello, my name is {hero}. What is your name?" "My name is {friend}," {fhe} said {softly}.',
    '"Why are you sitting here alone?" asked {hero}. "Because I do not know where to go," said {friend}. "Come with me," said {hero}. "I will show you {place}."',
  ],
  [
    'They went to {place}, and {hero} showed {fhim} [the best place to {hobby}|where the {bird} had its nest|the old {plant} that everybody loved]. "I like to {hobby}," said {friend}. "I like that too!" said {hero}.',
    "{Hero} had a {toy=thing}, and they played with it until it was dark. {Friend} knew a game with {number} stones that {hero} had never seen before.",
  ],
  [
    'Some of the others [laughed at {friend}|did not want to play with {friend}] because {fhe} spoke in a different way. But {hero} said, "{Friend} is my friend," and soon everyone wanted to know {fhim}.',
    '"In my old home, we ate {food} every Sunday," said {friend}. So {elder} made {food}, and {friend} was {good}.',
  ],
  ending,
];

const learning: Plot = [
  opening,
  [
    "There was one thing that {hero} could not do. {He} could not {skill1=skill}. All the others could do it, and {he} felt {bad}.",
    'One {time}, {hero} saw {friend} near {place}. {Friend} could {skill1=skill} very well. "I want to learn that too," thought {hero}.',
  ],
  [
    '{He} tried it once, and {he} failed. {He} tried it again, and {he} failed again. "I will never learn it," said {hero}.',
    'On the first day, it went wrong. On the second day, it went wrong too. "[It is too hard|I am too small|I want to stop]," said {hero}.',
  ],
  [
    '{Elder} the {job} had watched {him}. "When I was young, I could not do it either," said {elder}. "[Practice a little every day|Do not look at your feet|Begin slowly], and you will see."',
    '"Let me show you," said {friend}. "First you do it slowly. Then you do it again. [Do not hurry|Do not be afraid]."',
  ],
  [
    "So {hero} practiced every {time}. It was {weather}, and sometimes {he} was tired, but {he} did not stop. After {number} weeks, it was a little easier.",
    "{Hero} practiced near {place} for {number} days. Each day, it went a little better than the day before.",
  ],
  [
    'Then, one {weather} {time}, it worked. "Look!" {he} shouted. "I can {skill1}!" {Friend} clapped {fhis} hands.',
    "At last, {hero} could {skill1}. {He} showed it to {elder}, and {ehe} was {good}.",
  ],
  ending,
];

const garden: Plot = [
  opening,
  [
    'In spring, {elder} gave {hero} a seed. "If you take care of it," said {elder}, "it will become a {plant1=plant}."',
    "{Hero} wanted to have a {plant1=plant}. So {he} dug a hole near {place} and put a seed into it.",
  ],
  [
    "{He} gave it water every morning and waited. After {number} days, there was still nothing to see. {Hero} was {bad}.",
    '"Why does it not grow?" asked {hero}. "It grows in the dark first," said {elder}. "You must be patient."',
  ],
  [
    "Then the sun came, and a small green leaf came out of the earth. {Hero} ran to {friend} to tell {fhim} about it.",
    "One {weather} night, the cold came. {Hero} covered the little plant with {his} {toy=thing}, because {he} did not want it to freeze.",
    "A {bird} wanted to eat the leaves, so {hero} and {friend} built a small fence from {number} sticks.",
  ],
  [
    "In summer, the {plant1} was as tall as {hero}. Bees came, and the flowers were {color} and {color}.",
    "Weeks went by, and the {plant1} grew and grew. Everybody in the village came to look at it.",
  ],
  [
    "In autumn, there was enough for everyone. {Elder} made {food}, and {hero} gave the first piece to {friend}.",
    '{Hero} kept {number} seeds in a small box. "Next year," {he} said, "we will plant them together."',
  ],
  ending,
];

const mystery: Plot = [
  opening,
  [
    'One night, {hero} woke up because {he} heard {sound1=sound}. It came from {place1=place}. "What is that?" {he} whispered.',
    "Every night that week, there was {sound1=sound} near {place1=place}. Nobody knew where it came from. Some people said it was a ghost.",
  ],
  [
    "{He} took a lamp and woke {friend}. Together they walked {softly} through the dark. The moon was {color}, and the wind was cold.",
    '"We should find out what it is," said {hero}. "I am afraid," said {friend}, "but I will come with you."',
  ],
  [
    "They saw two eyes {spot}. {Friend} wanted to run away, but {hero} held up the lamp.",
    "There it was again! This time it was very close. {Hero} opened the door {softly} and looked inside.",
  ],
  [
    "It was only a {animal} that could not find its way home. It was cold and hungry, so they gave it {food}.",
    "It was not a ghost at all. It was a {bird} with a hurt wing, sitting {spot}. They made a nest for it from a {thing} and some hay.",
    "It was only the wind. It moved an old {thing} that hung near {place1}, and so it made that sound. They laughed and laughed.",
  ],
  [
    'In the morning, they told {elder} about it. "You were brave," {ehe} said. "[Many things look big in the dark|Fear makes everything bigger|Now we can all sleep well]."',
    "After that, {hero} was not afraid of the dark any more, because {he} knew what was there.",
  ],
  ending,
];

const market: Plot = [
  opening,
  [
    'One {time}, {elder} gave {hero} {number} coins. "Go to the market," {ehe} said, "and buy {food1=food}. And do not forget the {thing}!"',
    "{Hero} had saved {number} coins, because {he} wanted to buy a {toy=thing} at the market. {He} had waited for it all {season=season}.",
  ],
  [
    'On the way, {he} met {friend}, who looked {bad}. "I have not eaten since yesterday," said {friend}.',
    "At the market, there were {job}s and {job}s, and everyone was shouting. {Hero} saw {color} cloth, {food}, and a {thing} that shone in the sun.",
  ],
  [
    'The {job} said, "This costs {number} coins." "That is too much," said {hero}. "[Then help me to clean the table|Then take the small one|Come back in the evening]," said the {job}, "and you can have it for less."',
    "{Hero} thought about the coins in {his} pocket. Then {he} bought {food} and gave half of it to {friend}.",
  ],
  [
    '"You are {trait}," said {friend}. "I will not forget it." And {fhe} gave {hero} a {gift=thing} that {fhe} had made {fhimself}.',
    'When {hero} came home, {his} pockets were empty, but {his} heart was full. {Elder} was not angry. "You did the right thing," {ehe} said.',
  ],
  ending,
];

const race: Plot = [
  opening,
  [
    "Every {season=season}, there was a race from {place1=place} to {place2=place}. {Hero} wanted to win, because the prize was a {prize=thing}. {Friend} wanted to win it too.",
    'One {weather} {time}, {friend} said, "I am faster than you." "No, I am faster," said {hero}. So they decided to race to {place2=place}.',
  ],
  [
    "{Hero} ran as fast as {he} could. {He} ran past {place} and over the bridge. {Friend} was right behind {him}.",
    "At first, {friend} was in front. {Fhe} laughed and looked back. That was why {fhe} did not see the stone on the road.",
  ],
  [
    "Then {friend} fell and could not get up. {Hero} could see {place2}, and nobody else was near. But {he} stopped and turned around.",
    'Suddenly, {hero} heard {sound}. {Friend} had fallen. "Go on!" said {friend}. "You can win!" But {hero} stayed.',
  ],
  [
    '"Put your arm around me," said {hero}. Slowly, they walked to {place2} together. They were the last to arrive, but everyone cheered.',
    "{He} carried {friend} on {his} back all the way to {place2}. Somebody else won the race, but {hero} did not mind.",
  ],
  [
    'The {job} who gave the prize said, "The race was won by the fastest, but the best of all was {hero}." And {he} got a {gift=thing}.',
    '"You could have won," said {friend}. "I know," said {hero}, "but then I would have left you alone."',
  ],
  ending,
];

const letter: Plot = [
  opening,
  [
    "One {weather} {time}, the postman brought a letter for {hero}. It came from {friend}, who had moved far away. {Hero} opened it {softly}.",
    "{Friend} had gone to live near {place}, {number} days away. {Hero} missed {fhim} and decided to write a letter.",
  ],
  [
    '"Dear {hero}," said the letter, "here it is {weather} every day. I live near {place}, and I have learned to {skill}. I often think of you. Do you still {hobby}? Your friend, {friend}."',
    '"Dear {friend}," wrote {hero}, "it is {weather} here. Yesterday I found a {thing} {spot}, and I thought of you. {Elder} says hello. When will you visit us? Your {hero}."',
  ],
  [
    "{Hero} read it {number} times. Then {he} put it into a box, next to {his} {toy=thing}.",
    "{He} put a {color} leaf and a picture of {place} into the envelope. Then {he} walked to {place} and gave it to the postman.",
  ],
  [
    "For {number} weeks, there was no answer. {Hero} looked down the road every {time} and felt {bad}.",
    'Every {time}, {hero} asked, "Is there a letter for me?" And every time, the postman shook his head.',
  ],
  [
    'Then, one {time}, there was a knock at the door. It was not a letter. It was {friend}! "I wanted to bring the answer myself," {fhe} said.',
    'At last, a big box came. In it were a {gift=thing}, some {food}, and a note. "I will come to see you in the {season=season}," it said.',
  ],
  ending,
];

const talk: Plot = [
  [
    '{Hero} and {friend} were sitting near {place}. "What do you want to be when you are older?" asked {hero}.',
    'One {weather} {time}, {hero} met {friend} on the way to {place}. "Good morning," said {hero}. "Where are you going?"',
  ],
  [
    '"I want to be a {job}," said {friend}, "because I like to {hobby}. And you?" "I would rather be a {job}," said {hero}.',
    '"I am going to {place} to get some {food}," said {friend}. "Would you like to come with me?" "Yes, I would," said {hero}.',
  ],
  [
    '"Do you think it will rain?" asked {friend}. {Hero} looked at the sky. It was {color} and {color}. "I think it will be {weather}," {he} said.',
    '"Look, there is a {bird}!" said {hero}. "It has a {color} head and {color} wings. What does it eat?" "I think it eats seeds," said {friend}.',
    '"Why is the sea so big?" asked {friend}. "Because all the rivers run into it," said {hero}.',
  ],
  [
    '"I have {number} coins and a {thing}," said {friend}. "What can we do with them?" "We could give them to {elder}," said {hero}. "{Ehe} needs them more than we do."',
    '"Are you hungry?" asked {hero}. "Yes," said {friend}, "I would like to eat {food}." "I have {food}," said {hero}. "We can share it."',
  ],
  [
    "They walked on and talked about {place} until it was time to go home.",
    '"See you tomorrow," said {hero}. "See you tomorrow," said {friend}. And they both went home.',
  ],
];

const describing: Plot = [
  [
    "{Elder} is a {job1=job}. {Ehe} lives {home}. Every {time}, {ehe} goes to {place} and works there until the sun goes down.",
    "{Elder} has been a {job1=job} for {number} years. People come to {ehim} when they need help.",
  ],
  [
    "In {ehis} house there is a {color} table, a {thing}, and a {thing}. On the table there is always some {food}.",
    "{Ehe} wears a {color} coat and a {color} hat. In the winter, when it is cold, {ehe} drinks {drink} and sits by the fire.",
  ],
  [
    "{Hero} and {friend} like to visit {ehim}, because {ehe} is {trait} and knows many stories.",
    "The children of the village like {ehim}. {Ehe} has taught {hero} to {skill}, and now {ehe} is teaching {friend} to {skill}.",
  ],
  [
    'Once, {hero} asked, "Why did you become a {job1}?" "Because my {relative} was a {job1} too," said {elder}, "and because I like to {hobby}."',
    '"What is the most important thing in your work?" asked {friend}. "[To be {trait}|To take your time|To begin early]," said {elder}. "{Lesson}."',
  ],
  [
    "In the evening, {ehe} closes the door and goes home. On the way, {ehe} looks at {place} and is {good}.",
    "When the day is over, {ehe} is tired but {good}.",
  ],
];

export const plots: readonly Plot[] = [
  lost,
  helping,
  making,
  quarrel,
  storm,
  newcomer,
  learning,
  garden,
  mystery,
  market,
  race,
  letter,
  talk,
  describing,
];
