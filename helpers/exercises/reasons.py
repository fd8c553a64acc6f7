"""Why the right answer of each exercise is right: what check() says after "Right.". In the order of
the notebooks.
"""

REASONS = {
    # 00_start_here
    "start-1": "The answer follows your date, because it is computed; that is why it could be checked with a calendar.",
    "start-2": "The frame says constructed: the page shows how an answer travels, and nothing about what o1 knew.",
    # 1_o1
    "developer-1": "A new list with copies leaves the caller's messages as they were, and every other role is none of its business.",
    "developer-2": "What the builder decides belongs to the developer, what changes with each question to the user, and a secret to neither: a determined user may read both.",
    "effort-1": "1,088 hidden tokens more at 60 USD a million are six and a half cents a call, and ten thousand calls a day make that a salary.",
    "effort-2": "More effort pays only where a lower one fails, and only a check of your own can tell where that is.",
    "vision-1": "The shorter side becomes 768, the longer 1,086: that is two tiles by three, and a larger scan would cost the same.",
    "vision-2": "Low detail keeps what is large in a picture; and numbers that you have as text need no picture at all.",
    "functions-1": "Strict mode wants every key present, so an optional one is a key that may be null.",
    "functions-2": "A call needs all of its arguments: what the first tool returns may be what the second one needs, and what nobody said must be asked for.",
    "structured-1": "The outermost value must be an object, every object must be closed, and every key required.",
    "structured-2": "The mask holds an answer to its form. It knows nothing of sums, and nothing of what is on the page.",
    "assistant-1": "Line 11 keeps its mistake, so the sums that hang on it are off by the 100 dollars that were left uncorrected.",
    "assistant-2": "Each check catches what it knows: a schema the form of an answer, a program what is typed in, a person what is not on the paper.",
    "claims-1": "Zero is far outside of the interval, so chance in the choice of tasks does not explain the lead.",
    "claims-2": "A modest sentence that says what was measured can be supported where the grand one stays open.",
    # 2_realtime
    "conversation-1": "3 seconds of you are 30 tokens, 4 of it are 80, 2 more of you are 20: the second response hears all of them.",
    "conversation-2": "What is heard again with every turn, and what is spoken, is the bill; half a second of silence is five tokens.",
    "webrtc-1": "Whoever makes the secret decides model, voice and turns; the page that gets it can only talk.",
    "webrtc-2": "WebRTC for a person's device on a network that loses packets; a socket where a server has the bytes already, or no UDP gets through.",
    "turns-1": "The window must be longer than the pause, and the detector stays sure of speech for a moment after it.",
    "turns-2": "Each rule avoids the mistake that costs most there: waiting, cutting off, the wrong voice, or falling silent.",
    "guardrails-1": "Out of band, it leaves nothing behind; with an input of its own it reads four words in place of the whole conversation.",
    "guardrails-2": "Hold back where the first second does the damage, stop midway where waiting does, and guard nothing where only a function speaks.",
    "transports-1": "On good networks the two are alike. PCM16 falls behind where its bits do not fit, or where TCP takes a loss for a full line.",
    "transports-2": "First ask what gets through, then whether the bits fit, then who may set TCP's rule at both ends.",
    "reindeer-1": "Headers cost 56 bytes a packet whatever it carries, so at 60 ms they are a third of this link.",
    "reindeer-2": "Each device is short of something else: sharp consonants, bytes, time, or quiet nights.",
    "own-words-1": "three words are the same, two are changed, and two are there that nobody said: "
    "of five words 80 % are wrong, though a person would still understand.",
    "own-words-2": "what lies in the words survives the ears and can be read; what lies in how they were "
    "said is gone before anything could answer it.",
    # 3_dpo
    "pairs-1": "The prompt stands once, and the reply that was sent is the one to move away from.",
    "pairs-2": "Keep what teaches what you want, judge again where the judging went wrong, and drop what would teach something false.",
    "dpo_learning-1": "The odds of the pair rose by 1.5 / 0.5 = 3; half the logarithm of that is the margin.",
    "dpo_learning-2": "β decides how far the training goes. Where the pairs or their labels say the wrong thing, no β helps.",
    "tuning-1": "Pairs that differ in one thing say which thing was meant: keep those for the tone, flip those for the unit.",
    "tuning-2": "Only the last three checkpoints are kept, and losses of two βs do not compare: what the models say does.",
    "judging-1": "Only a verdict that survives the swap says something about the answers; the rest says something about the seat.",
    "judging-2": "Each number has a rival reason: luck, the seat, prompts that were trained on, or draws that are not independent.",
    "elsewhere-1": "What both columns share is the prompt, and what differs at the end are the two answers.",
    "elsewhere-2": "Preferences teach a style, examples an assignment with right answers; facts that change are looked up, and a form is enforced.",
    "writes-1": "Of what still writes, the checkpoint that learnt most of the taste: more margin is worth nothing once the words are gone.",
    "writes-2": "Both halves are needed: pairs say whether the taste was learnt, and its own texts whether it can still write.",
    # 4_costs
    "prices-1": "Sound fell by 60 %, from the cache by 87.5 %, and text not at all: the mix decides, and this day has much of the second.",
    "prices-2": "A sentence about a price is complete when it names the thing, the base and the day.",
    "reasoning-1": "It is the difference of the bills divided by the difference of the failures, as for every pair of models.",
    "reasoning-2": "The cheaper a failure, the cheaper the model to take; and where none is right often enough, none is the answer.",
    "voice-1": "Without a cache the bill grows with the square of the turns, so it overtakes any price that grows more slowly.",
    "voice-2": "A short talk is mostly speaking, a long one mostly history, and a lost cache dearer than both.",
    "tuning_budget-1": "Each call saves the long prompt and pays the surcharge; training and labour are earned back by the difference.",
    "tuning_budget-2": "First the length of the prompt decides whether a call saves anything, and only then the number of calls whether that is enough.",
    "bills-1": "Cached input has a column of its own, so the share is a ratio of two sums, and not a mean of daily shares.",
    "bills-2": "A number on the page supports a sentence, contradicts it, or is missing: then the sentence is open.",
    # 5_sdks
    "sdks-1": "JSON says nothing by the order of keys, and a null says what silence says; the order of a list is part of what is asked.",
    "sdks-2": "What is installed, what is retried and what is one file differs between clients that send the very same request.",
    "migration-1": "Dates written as 2026-10-23 compare like days, and an empty one must not count as the earliest.",
    "migration-2": "Change what fails, plan what will fail, and leave alone what only records what was.",
    "frameworks-1": "What is new is in one body and not in the other; a null and an empty list ask for nothing, and False is a value.",
    "frameworks-2": "A default that is said aloud stays the default; a call that must be made and a form that must be kept bind the model.",
}
