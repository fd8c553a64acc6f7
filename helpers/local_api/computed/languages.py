"""The languages that a rule may ask for: how each says a weekday, a heat, a number. Written by us,
for constructed answers.
"""

NAMES = {
    "english": "en", "french": "fr", "français": "fr", "francais": "fr", "spanish": "es", "español": "es",
    "espanol": "es", "german": "de", "deutsch": "de", "chinese": "zh", "mandarin": "zh", "中文": "zh",
    "japanese": "ja", "日本語": "ja", "italian": "it", "italiano": "it", "portuguese": "pt", "português": "pt",
    "dutch": "nl", "nederlands": "nl",
}  # fmt: skip

# A rule in the language itself, "Answer in …": (the verb, "in", the language's own name, words that
# change nothing, "and"). Of a unit see rules.UNITS.
OWN_WORDS = {
    "fr": (r"répond(?:s|ez)|parle[sz]?|écri(?:s|vez)", "en", "français", r"toujours|uniquement|seulement|s'il (?:te|vous) plaît", "et"),
    "es": (r"responde[n]?|contesta|habla|escribe", "en", "español", r"siempre|solo|sólo|solamente|por favor", "y"),
    "de": (r"antworte(?:n sie)?|rede|sprich|sprechen sie|schreib(?:e|en sie)?", "(?:auf|in)", "deutsch", r"immer|nur|bitte|stets|ausschließlich", "und"),
    "it": (r"rispond(?:i|ete)|parla|scrivi", "in", "italiano", r"sempre|solo|soltanto|per favore", "e"),
    "pt": (r"respond[ae]|fal[ae]|escrev[ae]", "em", "português", r"sempre|só|somente|apenas|por favor", "e"),
    "nl": (r"antwoord|spreek|schrijf", "in(?: het)?", "nederlands", r"altijd|alleen|uitsluitend|alsjeblieft", "en"),
    "zh": (r"回答|说", "用?", "(?:中文|汉语)", "请|总是|只|始终", "和|，"),
    "ja": (r"(?:答えて|回答して|話して)(?:ください)?", "", "日本語で?", "いつも|必ず", "、"),
}  # fmt: skip
UNSPACED = ("zh", "ja")

WEEKDAYS = {
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche",
    "es": "lunes martes miércoles jueves viernes sábado domingo",
    "de": "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    "zh": "星期一 星期二 星期三 星期四 星期五 星期六 星期日",
    "ja": "月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日",
    "it": "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    "pt": "segunda-feira terça-feira quarta-feira quinta-feira sexta-feira sábado domingo",
    "nl": "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
}
WEEKDAYS = {language: words.split() for language, words in WEEKDAYS.items()}

# {given} is {found}: a date and its weekday, a heat in one unit and in another, a sum and its
# value.
WAS = {
    "en": "{given} was a {found}.",
    "fr": "Le {given} était un {found}.",
    "es": "El {given} fue {found}.",
    "de": "Der {given} war ein {found}.",
    "zh": "{given}是{found}。",
    "ja": "{given}は{found}でした。",
    "it": "Il {given} era {found}.",
    "pt": "{given} foi {found}.",
    "nl": "{given} was een {found}.",
    "pirate": "Arr, {given} were a {found}, matey!",
}
IS = {
    "en": "{given} is {found}.",
    "fr": "{given}, soit {found}.",
    "es": "{given} son {found}.",
    "de": "{given} sind {found}.",
    "zh": "{given} 等于 {found}。",
    "ja": "{given} は {found} です。",
    "it": "{given} sono {found}.",
    "pt": "{given} são {found}.",
    "nl": "{given} is {found}.",
    "pirate": "Arr, {given} be {found}, matey!",
}
YES = {"en": "Yes", "fr": "Oui", "es": "Sí", "de": "Ja", "zh": "是", "ja": "はい", "it": "Sì", "pt": "Sim", "nl": "Ja", "pirate": "Aye"}  # fmt: skip
NO = {"en": "No", "fr": "Non", "es": "No", "de": "Nein", "zh": "不", "ja": "いいえ", "it": "No", "pt": "Não", "nl": "Nee", "pirate": "Nay"}  # fmt: skip
SETTINGS = {  # low, medium, high; what each is good for
    "en": ("Low", "for slow roasting", "Medium", "for cakes", "High", "for bread and pizza"),
    "fr": ("Doux", "pour rôtir lentement", "Moyen", "pour les gâteaux", "Fort", "pour le pain et la pizza"),
    "es": ("Bajo", "para asar despacio", "Medio", "para pasteles", "Alto", "para pan y pizza"),
    "de": ("Niedrig", "zum langsamen Braten", "Mittel", "für Kuchen", "Hoch", "für Brot und Pizza"),
    "zh": ("低", "适合慢烤", "中", "适合蛋糕", "高", "适合面包和比萨"),
    "ja": ("低温", "じっくり焼くとき", "中温", "ケーキに", "高温", "パンとピザに"),
    "it": ("Basso", "per arrosti lenti", "Medio", "per le torte", "Alto", "per pane e pizza"),
    "pt": ("Baixo", "para assar devagar", "Médio", "para bolos", "Alto", "para pão e pizza"),
    "nl": ("Laag", "om langzaam te braden", "Gemiddeld", "voor taart", "Hoog", "voor brood en pizza"),
    "pirate": ("Low be", "for slow roastin', arr", "Medium be", "for cakes, arr", "High be", "for bread an' pizza, arr"),
}  # fmt: skip
