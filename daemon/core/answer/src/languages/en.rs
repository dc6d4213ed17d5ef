//! English.

use jibu_types::Language;

use super::{Commands, Pack, Phrases};
use crate::danger::Danger;

#[rustfmt::skip]
pub(super) static PACK: Pack = Pack {
    language: Language::EN,
    name: "English",
    names: &["english", "anglais", "ingles", "kiingereza", "chingerezi"],
    commands: Commands {
        help: &["help", "info", "menu", "how to use"],
        more: &["more", "next", "continue", "the rest"],
        why: &["why", "source", "why that", "says who"],
        lang: &["lang", "language"],
        stop: &["stop", "stop all", "stopall", "unsubscribe", "quit", "stop messages"],
        start: &["start", "subscribe", "unstop", "resume"],
        person: &["person", "human", "agent", "operator", "talk to a person"],
        greeting: &["hello", "hi", "hey", "good morning", "good afternoon", "good evening", "hello jibu"],
        thanks: &["thanks", "thank you", "thx", "ok", "okay", "ok thanks", "thank you very much"],
    },
    numbers: ["one", "two", "three", "four"],
    stop_words: "a about after all also am an and any are as at be because been before being but \
        by can could did do does doing for from get go got had has have having he her here hers \
        him his how i if in into is it its just me more most my no nor not of on or our out over \
        own please she should so some such than that the their them then there these they this \
        those to too under until up us very want was we were what when where which while who whom \
        why will with would you your m s t re ve ll d u r pls plz im dont cant whats tell know \
        much many need",
    courtesies: &["hello", "hi", "hey", "hallo", "helo", "good morning", "good afternoon", "good evening",
        "good day", "greetings", "dear", "how are you", "excuse me", "sorry", "please", "pls", "plz",
        "kindly", "please help", "help me", "please help me", "tell me", "please tell me",
        "kindly tell me", "let me know", "please let me know", "advise me", "please advise",
        "can you tell me", "could you tell me", "can you please tell me", "can you help me",
        "i want to know", "i wanted to know", "i would like to know", "i need to know",
        "i want to ask", "i wanted to ask", "i would like to ask", "may i ask", "i have a question",
        "my question is", "thanks", "thank you", "thank u", "thx", "thanks a lot",
        "thank you very much", "thank you so much", "thanks in advance", "god bless you"],
    addresses: &["doctor", "doc", "dr", "sir", "madam", "nurse", "sister", "brother", "friend", "jibu"],
    quantity: &["much", "many", "cost", "costs", "fee", "fees", "price", "when", "hours", "hour",
        "time", "times", "number", "phone", "age", "days", "long", "often", "dose", "year", "years"],
    leaning: &["it", "they", "this", "these", "that", "those", "but", "however", "then", "he", "she",
        "also", "otherwise", "except", "unless", "instead", "so", "therefore", "if", "do not", "never"],
    caveats: &["but", "however", "do not", "don t", "never", "except", "unless", "not", "only", "no", "stop", "avoid"],
    negations: &["not", "no", "never", "without", "nor", "cannot", "don", "must", "only", "less",
        "more", "under", "over", "below", "above", "least", "most", "than"],
    conditions: &["if", "unless", "when", "whenever", "while", "until", "till", "except", "excluding",
        "provided", "before", "after", "during", "within", "between", "who", "whose", "where",
        "otherwise", "instead", "should", "may", "might", "avoid", "stop"],
    asides: &["which", "because", "so that", "such as", "for example", "including", "namely"],
    danger: &[
        (Danger::Medical, &[
            "convuls*", "seizure*", "having fits", "has fits", "unconscious*", "lost_consciousness",
            "passed_out", "faint*", "collaps*", "not breathing", "cannot breathe", "cant breathe",
            "can_t breathe", "not breathe", "trouble breathing", "difficulty breathing", "choking",
            "is choked", "heavy bleed*", "heavily bleed*", "bleed* heavily", "bleed* lot",
            "bleed* much", "bleed* stop", "stop bleed*", "severe* bleed*", "vomit* blood",
            "cough* blood", "snake* bit*", "bit* snake*", "snakebit*", "dog bit*", "bit* dog",
            "poison*", "overdos*", "drank paraffin", "drank kerosene", "drank bleach",
            "drank pesticide*", "swallow* paraffin", "swallow* kerosene", "swallow* bleach",
            "swallow* batter*", "swallow* pesticide*", "drink* pesticide*", "chest_pain*",
            "heart_attack", "having stroke", "drown*", "electrocut*", "electric_shock",
            "severe* burn*", "burn* badly", "won_t wake", "wont wake", "not wak*", "cannot wake",
        ]),
        (Danger::SelfHarm, &[
            "suicid*", "kill_myself", "killing_myself", "end my_life", "want to_die", "wants to_die",
            "harm_myself", "hurt_myself", "kill_himself", "kill_herself",
        ]),
        (Danger::Violence, &[
            "rape", "raped", "rapist", "beats_me", "beating_me", "beat_me", "sexual* abus*",
            "sexual* assault*", "attack* me", "stabbed", "domestic_violence",
        ]),
    ],
    phrases: Phrases {
        help: "{service}: send your question in your own words. {more}: the rest. {why}: the source. \
            {lang}: language. {person}: talk to a person. {stop}: end.",
        help_danger: "In danger call {number}.",
        source: "Source: {source}",
        more: "Send {more} for the rest.",
        nothing_more: "That was all. You can send a new question.",
        choose: "Which one? Send the number:",
        choose_again: "Please send a number from 1 to {count}:",
        no_menu: "There is no list to choose from now. Please send your question in words.",
        incomplete: "Part of your message did not reach me.",
        unknown: "Sorry, I do not know. My documents do not answer this. Try it in other words.",
        ask_person: "To ask a person, call {number}.",
        why: "The answer is from: {source}.",
        why_date: "Date: {date}.",
        why_no_date: "It has no date.",
        sure: "I am quite sure that it fits your question.",
        fairly_sure: "I think that it fits your question, but I am not certain.",
        not_sure: "I am not sure that it fits your question. Please ask somebody as well.",
        machine: "A machine chose it. No person checked it.",
        why_nothing: "I have not answered anything yet. Please send a question.",
        language_set: "I write in English now.",
        language_list: "Send {lang} and a language: {codes}.",
        stopped: "You get no more messages from {service}. To come back, send {start}.",
        started: "Welcome back to {service}. Send your question.",
        person: "I am a machine. To speak with a person, call {number}. I noted your wish, but I \
            cannot pass it on yet.",
        person_unset: "I am a machine. I noted that you want a person, but I cannot pass it on yet. \
            Please ask at the service centre.",
        person_asked: "I passed your question to a person. The reply comes by SMS.",
        not_understood: "I cannot read a question in this. Write it in a few words, like: {example}",
        example: "How do I register a birth?",
        urgent_medical: "If somebody is in danger now: get help, go to the nearest health centre.",
        urgent_self_harm: "You are not alone. Please talk now to somebody you trust or to a health worker.",
        urgent_violence: "If you are in danger now: go where people can help you.",
        urgent_call: "CALL {number}.",
    },
};
