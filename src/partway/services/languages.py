"""Languages of captions and chapters: their tags, and what a language calls itself (contract.md 1.5)."""

from __future__ import annotations

import re

from partway.errors import InvalidAttribute

_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z]{1,8}){0,3}")

_NAMES = dict(
    line.split(" ", 1)
    for line in """\
aa Qafar af
ab Аԥсшәа
af Afrikaans
ak Akan
am አማርኛ
an Aragonés
ar العربية
as অসমীয়া
av Авар мацӀ
ay Aymar aru
az Azərbaycan dili
ba Башҡорт теле
be Беларуская
bg Български
bm Bamanankan
bn বাংলা
bo བོད་ཡིག
br Brezhoneg
bs Bosanski
ca Català
ce Нохчийн мотт
co Corsu
cs Čeština
cv Чӑваш чӗлхи
cy Cymraeg
da Dansk
de Deutsch
dv ދިވެހި
dz རྫོང་ཁ
ee Eʋegbe
el Ελληνικά
en English
eo Esperanto
es Español
et Eesti
eu Euskara
fa فارسی
ff Fulfulde
fi Suomi
fil Filipino
fj Vosa Vakaviti
fo Føroyskt
fr Français
fy Frysk
ga Gaeilge
gd Gàidhlig
gl Galego
gn Avañe'ẽ
gu ગુજરાતી
gv Gaelg
ha Hausa
haw ʻŌlelo Hawaiʻi
he עברית
hi हिन्दी
hr Hrvatski
ht Kreyòl ayisyen
hu Magyar
hy Հայերեն
ia Interlingua
id Bahasa Indonesia
ig Igbo
is Íslenska
it Italiano
iu ᐃᓄᒃᑎᑐᑦ
ja 日本語
jv Basa Jawa
ka ქართული
kk Қазақ тілі
kl Kalaallisut
km ខ្មែរ
kn ಕನ್ನಡ
ko 한국어
ku Kurdî
kw Kernewek
ky Кыргызча
la Latina
lb Lëtzebuergesch
lg Luganda
ln Lingála
lo ລາວ
lt Lietuvių
lv Latviešu
mg Malagasy
mi Māori
mk Македонски
ml മലയാളം
mn Монгол
mr मराठी
ms Bahasa Melayu
mt Malti
my မြန်မာ
nb Norsk bokmål
ne नेपाली
nl Nederlands
nn Norsk nynorsk
no Norsk
oc Occitan
om Afaan Oromoo
or ଓଡ଼ିଆ
os Ирон
pa ਪੰਜਾਬੀ
pl Polski
ps پښتو
pt Português
qu Runa Simi
rm Rumantsch
rn Ikirundi
ro Română
ru Русский
rw Ikinyarwanda
sa संस्कृतम्
sc Sardu
sd سنڌي
se Davvisámegiella
si සිංහල
sk Slovenčina
sl Slovenščina
sm Gagana Samoa
sn ChiShona
so Soomaali
sq Shqip
sr Српски
st Sesotho
su Basa Sunda
sv Svenska
sw Kiswahili
ta தமிழ்
te తెలుగు
tg Тоҷикӣ
th ไทย
ti ትግርኛ
tk Türkmençe
tl Tagalog
tn Setswana
to Lea fakatonga
tr Türkçe
ts Xitsonga
tt Татарча
ug ئۇيغۇرچە
uk Українська
ur اردو
uz Oʻzbekcha
vi Tiếng Việt
wo Wolof
xh IsiXhosa
yi ייִדיש
yo Yorùbá
yue 粵語
za Vahcuengh
zh 中文
zu IsiZulu
""".splitlines()
)
"""By the first part of the tag."""


def check_language(tag: str) -> str:
    """A language's tag as it was given, if it is one.

    Raises:
        InvalidAttribute: it has something else than letters and dashes, or is none (RFC 5646 2.1).
    """
    if not (tag.isascii() and tag.replace("-", "").isalpha()):
        raise InvalidAttribute("This attribute must contain only letters and dashes.", name="language")
    if not _TAG.fullmatch(tag):
        raise InvalidAttribute("This attribute is not valid, use a tag like en or pt-BR.", name="language")
    return tag


def language_name(tag: str) -> str:
    """What a language calls itself, and what its tag says beyond it: ``Português (BR)``; an unknown tag stays a tag."""
    first, _, further = tag.partition("-")
    name = _NAMES.get(first.lower())
    if name is None:
        return tag
    return f"{name} ({further})" if further else name
