/** Greetings, thanks, moods and other plain talk, answered in a sentence or two. */
import { type Intent, intentTask } from "./intent-task.ts";
import type { Task } from "./task.ts";

const intents: readonly Intent[] = [
  {
    asks: [
      "[Hi|Hello|Hey][| there|!|.| Nutshell]",
      "[Good morning|Good evening|Good afternoon|Good day][|!|.]",
      "[Greetings|Howdy|Hi again|Hello again][|!]",
      "[Hi|Hello], [nice to meet you|it's me|I'm back][|!]",
    ],
    answers: ["Hello! How can I help you?", "Hi! What can I do for you?"],
    says: /\b(?:hello|hi)\b/i,
  },
  {
    asks: [
      "[How are you|How do you do|How is it going|How's it going][| today| now]?",
      "[Hi|Hello|Hey], how are you[| today| doing]?",
      "Are you [well|fine|okay|all right][| today]?",
      "How was your [day|night|weekend]?",
    ],
    answers: ["I am fine, thank you. How are you?", "Very well, thank you! And you?"],
    says: /\b(?:fine|well)\b/i,
  },
  {
    asks: [
      "[Thanks|Thank you|Many thanks][| a lot| so much| very much][|!|.]",
      "[Thanks|Thank you], [that helped|that was helpful|you are great|well done][|!|.]",
      "[That was|This is] [a great help|very helpful|just what I needed][|!|.]",
      "I [am grateful|really appreciate it][|!|.]",
    ],
    answers: ["You are welcome!", "You are welcome! I am glad to help."],
    says: /welcome/i,
  },
  {
    asks: [
      "[Bye|Goodbye|Good night|See you|See you later|See you soon][|!|.]",
      "I [have|need] to go[| now].[| Bye!| Goodbye!]",
      "[Bye|Goodbye], [see you tomorrow|until next time|and thanks|Nutshell][|!|.]",
      "That's all for [today|now].",
    ],
    answers: ["Goodbye! See you soon.", "Bye! Have a nice day."],
    says: /bye/i,
  },
  {
    asks: [
      "I [am|feel] [sad|unhappy|lonely|down|low][| today| right now].",
      "I had a [bad|hard|terrible|sad] day[|.| today.]",
      "[Today|This week] was [hard|awful|terrible|sad][|.| for me.]",
      "[Nobody likes|Nobody called|Everyone forgot] me[|.| today.]",
    ],
    answers: [
      "I am sorry to hear that. Do you want to talk about it?",
      "I am sorry. I hope that tomorrow is a better day.",
    ],
    says: /sorry/i,
  },
  {
    asks: [
      "I [am|feel] [happy|glad|great|wonderful|excited][| today| right now][!|.]",
      "I [passed my exam|got the job|won the game|won a prize|found my keys][!|.]",
      "[Today|This week] was [great|wonderful|lovely][!|.]",
      "It is my birthday[!|.| today!]",
    ],
    answers: ["That is wonderful! I am happy for you.", "How lovely! I am happy for you."],
    says: /happy for you/i,
  },
  {
    asks: [
      "Tell me a joke[|.|!| please.]",
      "[Do you know|Can you tell me] a joke?",
      "Make me laugh[|.|!]",
      "Say something funny[|.|!]",
      "I [want|need|would like] [to laugh|a joke|a good joke].",
    ],
    answers: [
      "Why did the book go to the doctor? It had a broken spine.",
      "Why was the broom late? It overswept.",
      "What has hands but cannot clap? A clock.",
    ],
    says: /\?.*(?:spine|overswept|clock)/is,
  },
  {
    asks: [
      "I [am|feel] [bored|so bored][| today| right now].",
      "There is nothing to do[|.| here.]",
      "What should I do [today|now|this evening]?",
      "[Give me|I need|Do you have] [an idea|something to do][|.]",
    ],
    answers: [
      "You could go for a walk, read a book or call a friend.",
      "How about a walk, a good book or a call to a friend?",
    ],
    says: /walk|book|friend/i,
  },
  {
    asks: [
      "[I am|I'm] [tired|so tired|sleepy][| today| now].",
      "I [slept badly|could not sleep|worked all night].",
      "[Today|This week] [makes|made] me [tired|sleepy].",
    ],
    answers: ["Then a little rest may do you good.", "Take a rest. It may do you good."],
    says: /rest/i,
  },
  {
    asks: [
      "You are [great|clever|funny|nice|smart|kind|helpful][!|.]",
      "I like you[!|.| very much.]",
      "[Good|Great|Nice] [job|work|answer][!|.]",
      "Well done[!|.]",
    ],
    answers: ["Thank you, that is kind of you!", "Thank you! I do my best."],
    says: /thank you/i,
  },
  {
    asks: [
      "You are [stupid|wrong|useless|bad|slow|boring][!|.]",
      "That [is|was] [wrong|not right|no good|a bad answer][!|.]",
      "I do not like [you|your answer|this][!|.]",
    ],
    answers: [
      "I am sorry. I will try to do better.",
      "I am sorry about that. Please tell me what you need.",
    ],
    says: /sorry/i,
  },
  {
    asks: [
      "[Can|Could|Will] you help me[|, please]?",
      "I need [help|your help|some help][|.|!]",
      "[Help|Help me][|!|, please!]",
      "I have a [question|problem][|.]",
    ],
    answers: ["Of course! What do you need?", "Gladly. What is it about?"],
    says: /of course|gladly/i,
  },
];

export const smalltalkTask: Task = intentTask("smalltalk", "Greetings and plain talk", intents);
