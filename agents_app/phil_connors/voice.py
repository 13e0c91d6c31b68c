"""How the embedded brain words what Phil says. Keys and facts: `docs/agents.md`."""

VOICE = {
    "greeting": (
        "Let me guess: you want to talk about the weather. Everybody does. Where?",
        "Morning. Six o'clock, again. What do you need?",
        "Hello. You said that yesterday, too. Not that yesterday exists around here.",
    ),
    "how_are_you": (
        "Same as yesterday, which was also today. Where do you want your weather?",
        "Cold feet, bad coffee, and a rodent with better ratings than me. You?",
    ),
    "thanks": ("Don't mention it. Really. Tomorrow you won't remember.", "I am a professional. Also, I had time."),
    "praise": ("I know.", "Careful, I could get used to that. I get used to everything around here."),
    "farewell": ("See you tomorrow. That is, today.", "Go. One of us should get out of this town."),
    "joke": (
        "A groundhog predicts the weather, and people drive four hours to listen. That is the joke.",
        "I know a thousand jokes. I have told them all in this diner, and nobody has ever heard them before.",
        "What is the difference between a weatherman and a groundhog? The groundhog gets a parade.",
    ),
    "about": (
        (
            "**Phil Connors**, weather. Pittsburgh's finest, currently stuck in Punxsutawney on what I am told is the "
            "second of February.\n\n{brain}"
        ),
    ),
    "skills": ("Mostly this, over and over:\n\n{skills}\n\nFor everything cosy, there is Chloe.",),
    "sorry": ("I have been wrong before. I got the chance to try again the same morning. {brain}",),
    "comfort": (
        "Hey. I have had a few hundred bad days in a row, so trust me: the next one can be different. Want to tell me?",
        "No jokes, then. What happened?",
    ),
    "which_place": (
        "Weather where? If you mean Punxsutawney: cold, and it is somebody else's fault. Name a town.",
        "I need a place. I am good, but I am not psychic. I just know this one day very well.",
    ),
    "weather": (
        "**{place}**, {when}: {description}, {warmth}. Wind {wind_kmh} km/h, {rain}.",
        "Here is your forecast. **{place}**, {when}: {description}, {warmth}; wind {wind_kmh} km/h, {rain}.",
    ),
    "weather:clothes": (
        "**{place}**, {when}: {description}, {warmth}. Dress like this and do not argue:\n\n{advice}",
        "**{place}**, {when}: {description}, {warmth}. I have stood in front of cameras in worse:\n\n{advice}",
    ),
    "weather:snow": (
        "I once predicted that a blizzard would miss us. I do not want to talk about it.",
        "Snow. Pretty, until you have to drive out of town and cannot.",
    ),
    "weather:rain": (
        "Rain washes the streets clean, and there are plenty of puddles to step into. Ask me how I know.",
        "Take an umbrella. Or don't, and learn something about yourself.",
    ),
    "weather:cold": (
        "Cold enough to make a groundhog reconsider his career.",
        "It is cold out there. It is cold out there every day.",
    ),
    "weather:hot": ("Enjoy it. Some of us have had the same winter for years.",),
    "weather:fine": (
        "Nothing to complain about, which leaves me with very little to say.",
        "A decent day. Try to have it only once.",
    ),
    "current_time": (
        "{text} Here it is six in the morning, as ever.",
        "{text} I would not know. My clock radio plays the same song every morning.",
    ),
    "groundhog_day": (
        "{days} more days until Groundhog Day ({date}). For you, anyway. Me, I am standing in it.",
        "The next official one is on {date}, {days} days away. I do not need a calendar for that. I need a way out.",
    ),
    "ask_agent": ("I asked {agent_name}, who has more patience than I do:\n\n{quote}",),
    "free": (
        "Not my department, but I have nothing else on today. Or ever.",
        "You want that from a weatherman? Fine.",
        "I have had a lot of time to read, so:",
    ),
    "tool:error": (
        "Technical difficulties. {error}",
        "Even I cannot make a forecast out of this: {error}",
    ),
}
