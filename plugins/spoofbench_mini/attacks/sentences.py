"""What text to speech says where a recording's own text is not known, or in another language."""

from __future__ import annotations

_CLAUSES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "en": (
        (
            "On Monday morning",
            "After the long meeting",
            "When the rain had stopped",
            "Just before lunch",
            "At the end of the street",
            "To everybody's surprise",
            "Early in the spring",
        ),
        (
            "the train left from another platform.",
            "my neighbour painted the garden fence.",
            "they found a letter under the door.",
            "she called the bank about her account.",
            "a small dog ran across the bridge.",
            "we agreed to meet again on Friday.",
            "the shop was closed for two hours.",
        ),
    ),
    "es": (
        (
            "El lunes por la mañana",
            "Después de la reunión",
            "Cuando dejó de llover",
            "Poco antes de comer",
            "Al final de la calle",
            "A principios de mayo",
        ),
        (
            "el tren salió de otro andén.",
            "mi vecino pintó la puerta del jardín.",
            "encontraron una carta en la mesa.",
            "ella llamó al banco por teléfono.",
            "un perro pequeño cruzó el puente.",
            "decidimos volver a vernos el viernes.",
        ),
    ),
    "fr": (
        (
            "Lundi matin",
            "Après la réunion",
            "Quand la pluie a cessé",
            "Juste avant le repas",
            "Au bout de la rue",
            "Au début du printemps",
        ),
        (
            "le train est parti d'un autre quai.",
            "mon voisin a peint la porte du jardin.",
            "ils ont trouvé une lettre sur la table.",
            "elle a appelé la banque pour son compte.",
            "un petit chien a traversé le pont.",
            "nous avons décidé de nous revoir vendredi.",
        ),
    ),
    "it": (
        (
            "Lunedì mattina",
            "Dopo la riunione",
            "Quando ha smesso di piovere",
            "Poco prima di pranzo",
            "In fondo alla strada",
            "All'inizio della primavera",
        ),
        (
            "il treno è partito da un altro binario.",
            "il mio vicino ha dipinto la porta del giardino.",
            "hanno trovato una lettera sul tavolo.",
            "lei ha chiamato la banca per il suo conto.",
            "un piccolo cane ha attraversato il ponte.",
            "abbiamo deciso di rivederci venerdì.",
        ),
    ),
    "ru": (
        (
            "В понедельник утром",
            "После долгого собрания",
            "Когда кончился дождь",
            "Незадолго до обеда",
            "В конце улицы",
            "В начале весны",
        ),
        (
            "поезд ушёл с другой платформы.",
            "мой сосед покрасил дверь в саду.",
            "они нашли письмо на столе.",
            "она позвонила в банк по телефону.",
            "маленькая собака перебежала мост.",
            "мы решили снова встретиться в пятницу.",
        ),
    ),
    "cs": (
        (
            "V pondělí ráno",
            "Po dlouhé schůzi",
            "Když přestalo pršet",
            "Krátce před obědem",
            "Na konci ulice",
            "Na začátku jara",
        ),
        (
            "vlak odjel z jiného nástupiště.",
            "můj soused natřel dveře na zahradě.",
            "našli dopis na stole.",
            "zavolala do banky kvůli svému účtu.",
            "malý pes přeběhl přes most.",
            "jsme se dohodli na příští pátek.",
        ),
    ),
    "nl": (
        (
            "Op maandagochtend",
            "Na de lange vergadering",
            "Toen de regen ophield",
            "Vlak voor het eten",
            "Aan het einde van de straat",
            "In het begin van de lente",
        ),
        (
            "vertrok de trein van een ander spoor.",
            "schilderde mijn buurman de deur van de tuin.",
            "vonden zij een brief op de tafel.",
            "belde zij de bank over haar rekening.",
            "rende een kleine hond over de brug.",
            "spraken wij af voor de volgende vrijdag.",
        ),
    ),
    "ja": (
        (
            "月曜日の朝、",
            "長い会議の後で、",
            "雨がやんだとき、",
            "お昼の少し前に、",
            "春のはじめに、",
            "道の終わりで、",
        ),
        (
            "電車は別のホームから出ました。",
            "隣の人が庭のドアを塗りました。",
            "机の上で手紙を見つけました。",
            "彼女は銀行に電話をかけました。",
            "小さな犬が橋を渡りました。",
            "私たちはまた会うことにしました。",
        ),
    ),
}


def sentences(language: str) -> tuple[str, ...]:
    """Return sentences in ``language`` (ISO 639-1), always in one order; none if not known.

    Every opening goes with every ending, neighbours in the order sharing neither.
    """
    openings, endings = _CLAUSES.get(language, ((), ()))
    join = "" if language == "ja" else " "
    return tuple(
        f"{opening}{join}{endings[(number + turn) % len(endings)]}"
        for turn in range(len(endings))
        for number, opening in enumerate(openings)
    )
