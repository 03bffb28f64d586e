"""Colours of land cover classes by what their names mean, safe for the colour-blind.

The 24 colours were found by a search: each lies among those that mean its kind of land cover, and any two of them are
16 or more apart in CIE L*a*b* for people with common vision, without red cones and without green cones.

Source: Machado, Oliveira and Fernandes 2009, "A Physiologically-based Model for Simulation of Color Vision Deficiency",
IEEE Transactions on Visualization and Computer Graphics 15 (6).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

_BLUE, _DEEP_BLUE, _SKY, _TEAL, _ICE = "#138dfc", "#0c17b7", "#93e3ff", "#02b6c6", "#eafdfa"
_GREEN, _DARK_GREEN, _LEAF_GREEN, _PALE_GREEN, _OLIVE = "#138048", "#14380b", "#8eaa06", "#d9eb98", "#7a7e02"
_YELLOW, _GOLD, _BROWN, _STRAW, _APRICOT = "#f9e571", "#fec116", "#6f4d07", "#f3e6c3", "#f49563"
_RED, _DARK_RED, _GREY, _CLAY, _STONE = "#e82b4f", "#672f41", "#6c757c", "#c18f7d", "#cbc4ba"
_PURPLE, _PINK, _LILAC, _LAVENDER = "#7b0671", "#fd59b0", "#b05fc2", "#caa0fe"

PALETTE = (
    _GREEN, _GOLD, _RED, _LAVENDER, _BROWN, _PALE_GREEN, _PURPLE, _APRICOT, _TEAL, _YELLOW, _PINK, _OLIVE,
    _CLAY, _LILAC, _LEAF_GREEN, _STRAW, _DARK_RED, _DARK_GREEN, _SKY, _GREY, _STONE, _BLUE, _DEEP_BLUE, _ICE,
)  # fmt: skip
"""All colours, in the order in which classes get them whose names mean nothing; those that mean most come last."""

# The first kind counts of which a word is in the name: what is specific stands before what is general. Words are in
# English, French, German, Spanish, Italian and Portuguese, without accents and in the singular.
_KINDS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        (_LILAC, _LAVENDER),
        """
        greenhouse serre gewachshaus invernadero serra estufa
        """,
    ),
    (
        (_TEAL, _SKY),
        """
        wetland marsh swamp bog fen peat peatland mangrove reed flooded marais tourbiere marecage roseliere
        feuchtgebiet feuchtflache moor sumpf schilf rohricht humedal marisma pantano turbera manglar juncal zona_umida
        palude torbiera canneto pantanal turfeira mangue mangal sapal brejo inonde uberflutet inundado allagato
        alagado
        """,
    ),
    (
        (_PINK, _LAVENDER, _LILAC),
        """
        orchard fruit olive almond citrus nut plantation verger fruitier olivier olivette amandier agrume obst obstbau
        obstgarten streuobst plantage olivenhain frutal huerto olivar almendro citrico frutteto oliveto agrumeto pomar
        olival amendoal citrino
        """,
    ),
    (
        (_PURPLE, _LILAC),
        """
        vine vineyard grape hop vigne vignoble weinberg weinbau rebe rebland wein hopfen vinedo vid vina vigneto vite
        vinha videira vinhedo
        """,
    ),
    (
        (_DARK_GREEN, _GREEN, _LEAF_GREEN),
        """
        conifer coniferous needleleaf evergreen pine spruce fir larch conifere resineux pin sapin epicea nadelwald
        nadelholz nadelbaum kiefer fichte tanne larche conifera pino abeto picea aghifoglie abete pinheiro pinheiral
        """,
    ),
    (
        (_OLIVE, _LEAF_GREEN),
        """
        shrub scrub shrubland bush heath heathland moorland maquis garrigue lande broussaille fourre arbuste gebusch
        strauch buschland heide matorral arbusto brezal mato matagal arbustivo arbusteto cespuglio macchia brughiera
        charneca urze
        """,
    ),
    (
        (_GREEN, _LEAF_GREEN, _DARK_GREEN),
        """
        forest wood woodland tree broadleaf broadleaved deciduous hardwood beech oak poplar eucalyptus foret bois
        feuillu arbre hetre chene peuplier wald waldung laubwald mischwald laubholz baum gehol geholz buche eiche
        pappel bosque arbol frondosa roble encina eucalipto chopo bosco foresta latifoglie albero quercia faggio
        pioppo floresta arvore folhosa carvalho sobreiro
        """,
    ),
    (
        (_PALE_GREEN, _LEAF_GREEN, _OLIVE),
        """
        grass grassland meadow pasture prairie rangeland lawn steppe savanna herbaceous pature paturage pelouse herbe
        gazon wiese weide grunland dauergrunland rasen grasland pradera prado pasto pastizal hierba cesped prato
        pascolo erba prateria relva pastagem pastagen erva herbacea herbaceo
        """,
    ),
    (
        (_ICE, _SKY),
        """
        snow ice glacier firn neige glace schnee eis gletscher nieve hielo glaciar neve ghiaccio ghiacciaio gelo
        geleira ghiacciai
        """,
    ),
    (
        (_GREY, _DARK_RED, _STONE),
        """
        road rail railway street asphalt pavement parking airport transport mine quarry extraction dump landfill route
        voie rue chemin carriere decharge strasse weg bahn schiene parkplatz flughafen steinbruch deponie carretera
        camino via ferrocarril aparcamiento cantera vertedero strada ferrovia parcheggio cava discarica estrada rua
        pedreira aterro
        """,
    ),
    (
        (_RED, _DARK_RED, _GREY),
        """
        urban built built-up buildup building settlement city town village residential industrial commercial house
        artificial impervious roof infrastructure urbain bati batiment ville habitation habitat residentiel industriel
        artificialise maison impermeable siedlung stadt stadtisch gebaude bebaut bebauung bebaute wohn wohngebiet
        industrie gewerbe versiegelt haus dorf urbano construido edificio edificado edificacion ciudad pueblo
        poblacion residencial vivienda casa tejado costruito edificato citta residenziale industriale abitato
        fabbricato insediamento cidade edificacao construcao habitacao telhado construcoes edificacoes
        """,
    ),
    (
        (_STONE, _GREY),
        """
        rock cliff scree stone roche rocher rocheux eboulis pierre fels gestein geroll stein schutt roca rocoso piedra
        canchal roccia rocce pietra ghiaione rocha pedra
        """,
    ),
    (
        (_CLAY, _STRAW, _STONE, _BROWN),
        """
        bare barren soil sand beach dune desert fallow sparse moss lichen tundra mousse moos flechte nu sol sable
        plage jachere boden kahl offenboden strand duene wuste brache unbewachsen suelo desnudo arena playa duna
        desierto barbecho suolo nudo sabbia spiaggia deserto maggese solo exposto areia praia pousio nue
        """,
    ),
    (
        (_YELLOW, _STRAW, _GOLD, _APRICOT),
        """
        wheat barley rye oat cereal grain straw triticale ble orge seigle avoine cereale weizen gerste roggen hafer
        getreide dinkel trigo cebada centeno avena grano frumento orzo segale cevada centeio aveia cereais
        """,
    ),
    (
        (_GOLD, _YELLOW, _APRICOT),
        """
        maize corn sorghum millet sunflower rapeseed canola colza mais tournesol sorgho kornermais silomais
        sonnenblume raps hirse maiz girasol sorgo mijo girasole miglio milho girassol milheto
        """,
    ),
    (
        (_BROWN, _APRICOT, _CLAY),
        """
        potato beet soy soya soybean bean pea lentil vegetable cotton sugarcane sugar rice legume tobacco alfalfa
        clover pomme_de_terre betterave soja haricot pois lentille coton canne riz tabac luzerne trefle kartoffel rube
        zuckerrube bohne erbse linse gemuse baumwolle reis tabak klee hulsenfruchte patata papa remolacha judia
        guisante lenteja hortaliza verdura algodon cana arroz tabaco trebol barbabietola fagiolo pisello lenticchia
        ortaggio cotone riso tabacco medica trifoglio batata beterraba feijao ervilha lentilha algodao trevo
        """,
    ),
    (
        (_APRICOT, _GOLD, _YELLOW, _BROWN, _STRAW),
        """
        crop cropland arable agriculture agricultural farmland cultivated field culture cultive labour terre_arable
        agricole champ acker ackerland ackerbau feld feldfrucht landwirtschaft kultur anbau cultivo agricola
        agricultura labranza campo coltura coltivo coltivato seminativo agricolo arativo lavoura lavrado cultura
        """,
    ),
    (
        (_DEEP_BLUE, _BLUE),
        """
        sea ocean coast marine bay mer littoral meer ozean kuste mar oceano costa mare
        """,
    ),
    (
        (_BLUE, _DEEP_BLUE, _SKY),
        """
        water lake river pond reservoir canal stream lagoon eau lac riviere fleuve etang plan_d_eau cours_d_eau bassin
        wasser gewasser see fluss teich bach kanal stausee agua lago rio embalse laguna estanque arroyo acqua fiume
        stagno invaso torrente ruscello lagoa albufeira ribeira acude
        """,
    ),
)
_ENDINGS = ("", "s", "es", "e", "n", "en", "er", "x", "r")
"""What a word has more in the plural or in the feminine."""
_VOWELS = ("i", "e", "hi", "he", "as", "os")
"""What takes the place of a last vowel there, as in prato and prati, bosco and boschi, urbano and urbanas."""
_PART = 5
"""Words of so many letters may also be a part of a longer one, as German makes them."""
_GERMAN = {"wald", "baum", "haus", "obst", "moor", "wein", "raps"}
"""Shorter ones that German makes longer ones of."""
_WORD = re.compile(r"[a-z]+")


def colors_of(names: Sequence[str]) -> list[str]:
    """Returns a colour ``#rrggbb`` for each name of a class.

    A name gets a colour that means what it says, such as blue for water; if that is taken, or if it means nothing, one
    that is free. More than 24 names repeat colours.

    Args:
        names: The names, in English, French, German, Spanish, Italian or Portuguese.

    Example:
        >>> colors_of(["Wald", "eau", "Wasserflächen"])
        ['#138048', '#138dfc', '#0c17b7']
    """
    colors: dict[int, str] = {}
    for index, name in enumerate(names):
        color = next((color for color in _meant(name) if color not in colors.values()), None)
        if color:
            colors[index] = color
    others = [index for index in range(len(names)) if index not in colors]
    free = [color for color in PALETTE if color not in colors.values()]
    for count, index in enumerate(others):
        colors[index] = free[count] if count < len(free) else PALETTE[count % len(PALETTE)]
    return [colors[index] for index in range(len(names))]


def _meant(name: str) -> tuple[str, ...]:
    """Returns the colours that mean what a name says, the best first; none if it says nothing that is known."""
    plain = unicodedata.normalize("NFKD", name.casefold())
    tokens = _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
    for colors, words in _KINDS:
        if any(_says(tokens, word) for word in words.split()):
            return colors
    return ()


def _says(tokens: Sequence[str], word: str) -> bool:
    if "_" in word:
        return word in "_".join(tokens)
    forms = {word + ending for ending in _ENDINGS}
    if word[-1] in "aeo":
        forms |= {word[:-1] + vowel for vowel in _VOWELS}
    part = len(word) >= _PART or word in _GERMAN
    return any(token in forms or (part and word in token) for token in tokens)
