"""Golden vectors: sentences, their token ids, and what the unquantised model says.

The sentences are our own. Each is (language, heading, text): with a heading it
is embedded as a passage, without one as a query.
"""

from __future__ import annotations

import json

import numpy as np

import reference
from e5s1 import Source, expand
from encoder import Weights
from vocabulary import Tokenizer, Vocabulary

SENTENCES = [
    ("en", None, "How do I register the birth of my child?"),
    ("en", "Birth registration › What to bring", "Bring the clinic card of the child and the identity card of one parent. The first certificate is free of charge."),
    ("en", None, "pls wher can i get malaria testd 2day?? my kid is hot & shivering!!"),
    ("sw", None, "Nitapataje cheti cha kuzaliwa cha mtoto wangu?"),
    ("sw", "Kipindupindu › Dalili", "Mtu mwenye kipindupindu huharisha maji mengi na kutapika. Mpe maji ya chumvi na sukari njiani kwenda kituo cha afya."),
    ("ny", None, "Kodi ndingapite kuti kukalandira katemera wa mwana?"),
    ("ny", "Malungo › Zizindikiro", "Mwana akatentha thupi pitani naye ku chipatala tsiku lomwelo kuti akamuyeze malungo."),
    ("fr", None, "Où faut-il aller pour demander la carte d'identité ?"),
    ("fr", "Terres › Titre foncier", "Le dossier comprend le plan signé par le géomètre, l'acte de vente et le reçu des droits payés à la commune."),
    ("pt", None, "Como posso pedir a pensão de velhice?"),
    ("pt", "Vacinação › Calendário", "A criança recebe a primeira vacina ao nascer; leve sempre o cartão de saúde à unidade sanitária."),
    ("am", None, "ልጄ ትኩሳት አለው፤ ምን ማድረግ አለብኝ?"),
    ("am", "ክትባት › መቼ", "ሕፃኑ ሲወለድ የመጀመሪያውን ክትባት ያገኛል፤ ካርዱን ይዘው ወደ ጤና ጣቢያ ይምጡ።"),
    ("km", None, "តើខ្ញុំចុះបញ្ជីកំណើតកូននៅទីណា?"),
    ("km", "ជំងឺគ្រុនចាញ់ › សញ្ញា", "ប្រសិនបើកុមារក្តៅខ្លួន សូមនាំទៅមណ្ឌលសុខភាពនៅថ្ងៃដដែល។"),
    ("hi", None, "ज़मीन का पंजीकरण कराने में कितना पैसा लगता है?"),
    ("hi", "राशन कार्ड › आवेदन", "आवेदन के साथ आधार की प्रति और निवास का प्रमाण दें; रसीद संभालकर रखें।"),
    ("el", None, "Πώς μπορώ να γράψω το παιδί μου στο σχολείο;"),
    ("el", "Σύνταξη › Δικαιολογητικά", "Χρειάζονται η ταυτότητα, το βιβλιάριο υγείας και μία αίτηση υπογεγραμμένη από τον ενδιαφερόμενο."),
    ("ar", None, "كيف أسجل مولودي الجديد؟"),
    ("ar", "الكوليرا › العلاج", "أعط المريض محلول الإرواء كثيرا وخذه إلى أقرب مركز صحي."),
    ("bn", None, "শিশুর জন্ম নিবন্ধন কোথায় করতে হয়?"),
    ("ta", None, "முதியோர் ஓய்வூதியம் பெற என்ன செய்ய வேண்டும்?"),
    ("es", None, "¿Cuánto cuesta inscribir a mi hija en la escuela?"),
    ("vi", None, "Tôi muốn làm giấy khai sinh cho con thì đến đâu?"),
    ("ha", None, "Ina zan kai ɗana don yin rigakafin cutar ƙyanda?"),
    ("yo", None, "Níbo ni mo ti lè gba ìwé ìbí ọmọ mi?"),
    ("zu", None, "Ngingayitholaphi impesheni yabadala?"),
    ("en", None, "ＦＥＥＳ:\u00a0½ price…\u200bok\t№5 ﬁne 😀👍🏽 \u0007(20\u2009%)"),
    ("ja", None, "東京の学校 とABC"),
]  # fmt: skip


def prompt(heading: str | None, text: str) -> str:
    """The text with the prefix that the model was trained with."""
    return f"query: {text}" if heading is None else f"passage: {heading}\n{text}"


def golden(source: Source, weights: Weights, vocabulary: Vocabulary) -> str:
    """The golden file: an embedding's components are in units of 0.00001."""
    tokenizer = Tokenizer(vocabulary)
    blocks = source.blocks("emb.word")
    entries = []
    for language, heading, text in SENTENCES:
        ids = tokenizer.encode(prompt(heading, text))
        tokens = expand(blocks[vocabulary.rows[ids]]).reshape(len(ids), -1)
        embedding = np.rint(reference.embed(source, weights, tokens) * 1e5).astype(int)
        entry = {"language": language, "heading": heading, "text": text, "ids": ids}
        entries.append(json.dumps(entry | {"embedding": embedding.tolist()}, ensure_ascii=False))
    return "[\n" + ",\n".join(entries) + "\n]\n"
