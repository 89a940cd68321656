//! What to do about a sentence: which function it means, and whether that is clear enough to call it.

use super::{
    fill::Reading,
    index::{Entry, Index, terms},
    literal::Literal,
    sentence::{Kind, Sentence, Span},
    several,
    slot::{Kind as SlotKind, Role, Slot},
    verbs::{ORDERING, asks_back, commands_another_thing, forbids, introduces_a_noun},
};
use crate::{
    domain::{
        language::is_ideograph,
        limits::{OFFLINE_CANDIDATES_MAX, OFFLINE_CHOICES_MAX, OFFLINE_PARTS_MAX},
        tool::Effect,
    },
    words::{Action, Cue, Meaning},
};

/// What a sentence and a function must share to be thought of together; 1 is a perfect fit.
const SCORE_MIN: f32 = 0.45;
/// Two functions closer than this fit alike.
const MARGIN: f32 = 0.04;

/// A name that says so much more of a sentence than another is the one that is meant, in the weight of words.
const NAME_MARGIN: f32 = 1.0;

/// What to do.
#[derive(Debug)]
pub(super) enum Decision<'a> {
    /// Call it; words that found no place are told to the user (reads only).
    Call { reading: Reading<'a>, unused: Vec<String> },
    /// The function is clear, these arguments are missing: all of the required ones, or any of the optional ones.
    Missing { reading: Reading<'a>, slots: Vec<&'a Slot>, any: bool },
    /// The function is clear, but it would change something and this part of the sentence is not understood.
    Unclear { reading: Reading<'a>, parts: Vec<String> },
    /// The sentence speaks of a change without commanding it.
    NoCommand { reading: Reading<'a> },
    /// It asks for what is not so, which no argument says: this part, and the argument that says what is so.
    Denied { reading: Reading<'a>, part: String, slot: Option<&'a Slot> },
    /// It reads, but these words of the sentence would narrow it in a way that no argument does; these arguments come nearest.
    Unread { reading: Reading<'a>, parts: Vec<String>, slots: Vec<&'a Slot> },
    /// It asks for several things at once.
    Several,
    /// It would change all of something, and a call changes one.
    OneAtATime { reading: Reading<'a>, slots: Vec<&'a Slot> },
    /// These fit alike.
    Which(Vec<&'a Entry>),
    /// A greeting, or a question for help.
    Help,
    /// Nothing but thanks.
    Thanks,
    /// Nothing fits.
    Nothing,
    /// More than the planner reads.
    TooLong,
}

/// A verb of the sentence; a span that can mean two actions gives two.
struct Act {
    span: usize,
    action: Action,
    /// The span may as well just join a property and its value ("角色设为管理员").
    joins: bool,
    /// It stands as a noun ("the comment", "议题的评论"), if it names the function's thing.
    noun: bool,
    /// It stands first with a thing of another kind behind it ("order product 7", "下单商品7"): a verb, even if it names a thing too.
    verb: bool,
    words: Vec<&'static str>,
}

/// What a sentence asks for, apart from any function.
struct Wish {
    actions: Vec<Act>,
    denied: bool,
    /// A question.
    wondered: bool,
    supposed: bool,
    /// Only thought of ("I might").
    doubted: bool,
    /// Stems of words that end as participles do: what has been done is no command to do it.
    participles: Vec<String>,
    query: Vec<Vec<String>>,
}

pub(super) fn decide<'a>(index: &'a Index, sentence: &'a Sentence<'a>) -> Decision<'a> {
    if sentence.spans.len() > OFFLINE_PARTS_MAX {
        return Decision::TooLong;
    }
    let wish = Wish::of(sentence);
    if wish.query.is_empty() || is_for_help(sentence) {
        let says = |cues: &[Cue]| sentence.spans.iter().any(|span| span.is_any(cues));
        return match () {
            () if says(&[Cue::Greeting, Cue::Help]) => Decision::Help,
            () if says(&[Cue::Thanks]) && sentence.spans.iter().all(|span| span.literal().is_none()) => Decision::Thanks,
            () => Decision::Nothing,
        };
    }
    let mut ranked: Vec<(f32, bool, Reading<'a>)> = Vec::new();
    for (at, _) in index.nearest(&wish.query, OFFLINE_CANDIDATES_MAX) {
        let Some(entry) = index.entries.get(at) else { continue };
        let reading = Reading::of(entry, sentence);
        let (score, anchored) = wish.score(index, sentence, &reading);
        ranked.push((score, anchored, reading));
    }
    ranked.retain(|(score, anchored, _)| *anchored && *score >= SCORE_MIN);
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    let best = ranked.first().map_or(0.0, |(score, ..)| *score);
    let alike = ranked.iter().take_while(|(score, ..)| best - score < MARGIN).count();
    if let Some(at) = wish.nearest_by_name(index, ranked.get(..alike).unwrap_or_default()) {
        return wish.settle(index, sentence, ranked.swap_remove(at).2);
    }
    let both: Vec<&Entry> = ranked.iter().take(alike).map(|(_, _, reading)| reading.entry).collect();
    if alike > 1 && both.iter().all(|entry| entry.effect == Effect::Safe) && several::names_both(sentence, &both) {
        return Decision::Several;
    }
    if alike > 1 {
        return Decision::Which(ranked.iter().take(alike.min(OFFLINE_CHOICES_MAX)).map(|(_, _, reading)| reading.entry).collect());
    }
    match ranked.into_iter().next() {
        Some((_, _, reading)) => wish.settle(index, sentence, reading),
        None => wish.somewhere(index, sentence),
    }
}

/// What to do about a sentence if this function is the one that is meant.
pub(super) fn decide_for<'a>(index: &Index, sentence: &'a Sentence<'a>, entry: &'a Entry) -> Decision<'a> {
    Wish::of(sentence).settle(index, sentence, Reading::of(entry, sentence))
}

/// "What can you do?" asks for help even though it has words.
fn is_for_help(sentence: &Sentence<'_>) -> bool {
    sentence.spans.iter().any(|span| span.is(Cue::Help))
        && !sentence.spans.iter().any(|span| span.words().next().is_some() || span.literal().is_some())
}

impl Wish {
    fn of(sentence: &Sentence<'_>) -> Self {
        let spans = &sentence.spans;
        // "未发货" tells of what is not done yet, and commands nothing.
        let undone =
            |at: usize| sentence.denial_before(at, |_| false).and_then(|not| spans.get(not)).is_some_and(|not| not.is(Cue::Undone));
        let acting = spans.iter().enumerate().filter(|(at, _)| !undone(*at)).flat_map(|(at, span)| {
            let noun = at.checked_sub(1).and_then(|at| spans.get(at)).is_some_and(introduces_a_noun);
            span.actions().map(move |action| Act {
                span: at,
                action,
                joins: span.is(Cue::Assign),
                noun,
                verb: commands_another_thing(sentence, at),
                words: span.words().collect(),
            })
        });
        let ordering = spans.iter().enumerate().filter(|(at, span)| span.raw == ORDERING && commands_another_thing(sentence, *at));
        let ordering = ordering.map(|(span, word)| Act {
            span,
            action: Action::Create,
            joins: false,
            noun: false,
            verb: true,
            words: word.words().collect(),
        });
        // "Is", "did", "how" ask where they begin a sentence; in Chinese, and as a phrase, wherever they stand.
        let asks = |(at, span): (usize, &Span)| {
            span.is(Cue::Question) && (at == 0 || span.raw.contains(' ') || span.raw.chars().any(is_ideograph) || span.raw == "why")
        };
        Self {
            actions: acting.chain(ordering).collect(),
            denied: spans.iter().any(|span| span.is(Cue::Not)),
            wondered: spans.iter().enumerate().any(asks) || asks_back(sentence),
            supposed: spans.iter().any(|span| span.is(Cue::Supposing)),
            doubted: spans.iter().any(|span| span.is(Cue::Doubting)),
            participles: spans
                .iter()
                .filter(|span| span.raw != span.stem && (span.raw.ends_with("ed") || span.raw.ends_with("ing")))
                .map(|span| span.stem.clone())
                .collect(),
            query: spans.iter().map(terms).filter(|terms| !terms.is_empty()).collect(),
        }
    }

    /// The actions that are meant with this function: a word that names its thing ("post 5"), or that may just join a property and its
    /// value, acts only where no other word does.
    fn actions_for(&self, entry: &Entry) -> Vec<Action> {
        let names = |act: &Act| entry.objects.iter().flatten().any(|own| act.words.contains(&own.as_str()));
        let some = |test: &dyn Fn(&Act) -> bool| self.actions.iter().filter(|act| test(act)).map(|act| act.action).collect::<Vec<_>>();
        let plain = some(&|act| !names(act) && !act.joins);
        let joining = if plain.is_empty() { some(&|act| !names(act)) } else { plain };
        if joining.is_empty() { some(&|act| !act.noun) } else { joining }
    }

    /// Whether only a word acts that also names the function's thing, as "评论" does: it may as well be no verb.
    fn only_named(&self, entry: &Entry) -> bool {
        self.actions.iter().all(|act| entry.objects.iter().flatten().any(|own| act.words.contains(&own.as_str())))
    }

    /// How well a sentence read as a call of a function fits (1 is perfect), and whether anything ties the two together.
    fn score(&self, index: &Index, sentence: &Sentence<'_>, reading: &Reading<'_>) -> (f32, bool) {
        let entry = reading.entry;
        let (mut covered, mut all) = (0.0, 0.0);
        for (at, span) in sentence.spans.iter().enumerate() {
            let terms = terms(span);
            if terms.is_empty() {
                continue;
            }
            let known = terms.iter().map(|term| index.weight(term)).fold(0.0, f32::max);
            let weight = if known > 0.0 { known } else { index.weight_max() / 2.0 };
            let named = terms.iter().any(|term| entry.objects.iter().flatten().any(|own| own == term));
            let share = match () {
                () if named || reading.is_used(at) => 1.0,
                () if terms.iter().any(|term| index.has(entry, term)) => 0.8,
                () => 0.0,
            };
            covered += weight * share;
            all += weight;
        }
        let coverage = if all > 0.0 { covered / all } else { 0.0 };
        let named = self.named_share(index, entry);
        let told = self.tells_a_value(sentence, reading);
        let subject = if told { named.max(0.7) } else { named };
        let filled = 0.03 * reading.filled().min(3) as f32;
        let loose = 0.1 * reading.stray_literals().len() as f32 + 0.15 * reading.missing().len() as f32;
        (0.45 * coverage + 0.3 * subject + self.action_fit(entry) + filled - loose, named > 0.0 || told)
    }

    /// How much of the function's name the sentence says, the rarer words counting more.
    fn named_share(&self, index: &Index, entry: &Entry) -> f32 {
        let (mut said, mut all) = (0.0, 0.0);
        for same in &entry.objects {
            let weight = same.iter().map(|term| index.weight(term)).fold(0.0, f32::max);
            all += weight;
            if self.query.iter().flatten().any(|term| same.contains(term)) {
                said += weight;
            }
        }
        if all > 0.0 { said / all } else { 0.0 }
    }

    /// Of several reads that fit alike the one whose name says clearly more of the sentence. A change is never told from others so.
    fn nearest_by_name(&self, index: &Index, alike: &[(f32, bool, Reading<'_>)]) -> Option<usize> {
        if alike.len() < 2 || alike.iter().any(|(_, _, reading)| reading.entry.effect == Effect::Changing) {
            return None;
        }
        let said = |entry: &Entry| -> f32 {
            let in_name = |term: &&String| entry.objects.iter().flatten().any(|own| own == *term);
            let weight = |same: &Vec<String>| same.iter().filter(in_name).map(|term| index.weight(term)).fold(0.0, f32::max);
            self.query.iter().map(weight).sum()
        };
        let mut by_name: Vec<(usize, f32)> = alike.iter().map(|(_, _, reading)| said(reading.entry)).enumerate().collect();
        by_name.sort_by(|a, b| b.1.total_cmp(&a.1));
        let [(at, most), (_, second), ..] = by_name.as_slice() else { return None };
        (most - second > NAME_MARGIN).then_some(*at)
    }

    /// Whether a value of an enumeration or a yes-or-no property was said, which ties a sentence to a function without its noun.
    fn tells_a_value(&self, sentence: &Sentence<'_>, reading: &Reading<'_>) -> bool {
        let values = reading.arguments();
        let closed = |slot: &&Slot| matches!(slot.kind, SlotKind::Choice(_) | SlotKind::Boolean);
        let told = reading.entry.slots.iter().filter(closed).any(|slot| values.contains_key(&slot.name));
        told && sentence
            .spans
            .iter()
            .enumerate()
            .any(|(at, span)| reading.is_used(at) && matches!(span.kind, Kind::Words | Kind::Ideographs))
    }

    fn action_fit(&self, entry: &Entry) -> f32 {
        let wanted = self.actions_for(entry);
        let does = match (entry.action, entry.effect) {
            (Some(does), _) => does,
            (None, Effect::Safe) => Action::Read,
            (None, Effect::Changing) => return 0.05,
        };
        let fits = wanted
            .iter()
            .any(|wanted| *wanted == does || (wanted.reads() && does.reads() && (*wanted == Action::Read || does == Action::Read)));
        match () {
            () if fits => 0.2,
            () if self.only_named(entry) && !self.actions.iter().any(|act| act.verb) => {
                if does.reads() {
                    0.1
                } else {
                    -0.6
                }
            }
            () if does.reads() && wanted.iter().any(|wanted| wanted.reads()) => 0.1,
            () => -0.4,
        }
    }

    /// Whether the best function can be called as it was read.
    fn settle<'a>(&self, index: &Index, sentence: &Sentence<'_>, reading: Reading<'a>) -> Decision<'a> {
        let changes = reading.entry.effect == Effect::Changing;
        let wanted = self.actions_for(reading.entry);
        let commanded = !changes || (!self.wondered && !self.doubted && self.commands(index, &wanted, reading.entry));
        // "Orders that are not paid" denies a property; next to a verb of change it denies that.
        let denied = self.denied && (changes || wanted.iter().any(|wanted| !wanted.reads()));
        if self.supposed || denied || !commanded || (!changes && forbids(sentence)) {
            return Decision::NoCommand { reading };
        }
        let missing = reading.missing();
        let all = sentence.spans.iter().enumerate().any(|(at, span)| span.is(Cue::All) && !reading.is_used(at));
        if changes && all {
            return Decision::OneAtATime { reading, slots: missing };
        }
        if !missing.is_empty() {
            return Decision::Missing { reading, slots: missing, any: false };
        }
        if !changes && let Some((from, to)) = reading.denial() {
            let part = sentence.text_of(from, to).to_owned();
            let slot = reading.choices_in(from, to);
            return Decision::Denied { reading, part, slot };
        }
        let unused: Vec<String> = reading.stray_literals().into_iter().chain(reading.unexplained(index)).map(str::to_owned).collect();
        if !changes {
            // A read in place of a change that was asked for would look like its result.
            let only_reads = wanted.iter().all(|wanted| wanted.reads());
            if only_reads && several::asks_for_more(sentence, &reading, |word| index.is_thing(word)) {
                return Decision::Several;
            }
            if only_reads && let Some((parts, slots)) = reading.unread() {
                return Decision::Unread { reading, parts, slots };
            }
            return if only_reads { Decision::Call { reading, unused } } else { Decision::Unclear { reading, parts: unused } };
        }
        let other = |wanted: &&Action| reading.entry.action != Some(**wanted) && !self.only_sets(**wanted, sentence, &reading);
        let others: Vec<&Action> = wanted.iter().filter(other).collect();
        let mixed = !others.is_empty() && !others.iter().all(|other| self.shares_a_word(**other, reading.entry.action));
        if !unused.is_empty() || mixed {
            return Decision::Unclear { reading, parts: unused };
        }
        let open = reading.open();
        if !reading.gives_content() && !open.is_empty() && !matches!(reading.entry.action, Some(Action::Delete | Action::Create)) {
            return Decision::Missing { reading, slots: open, any: true };
        }
        Decision::Call { reading, unused: Vec::new() }
    }

    /// "Find keyboard", "搜索键盘": what is looked for is said, and not among what. Every function that looks for any text may be meant.
    fn somewhere<'a>(&self, index: &'a Index, sentence: &'a Sentence<'a>) -> Decision<'a> {
        let spans = &sentence.spans;
        let looks = spans.iter().any(|span| span.is(Cue::Searching)) && self.actions.iter().all(|act| act.action.reads());
        let idle = |span: &Span| span.actions().next().is_some() || !span.is_content() && span.literal().is_none();
        let sought = |span: &Span| span.is_unknown() || matches!(span.literal(), Some(Literal::Quoted(_)));
        let only = spans.iter().all(|span| idle(span) || sought(span)) && spans.iter().any(sought);
        if !looks || !only || self.supposed || self.denied {
            return Decision::Nothing;
        }
        let searches = |entry: &&Entry| {
            entry.effect == Effect::Safe && entry.slot(Role::Search).is_some() && !entry.slots.iter().any(|slot| slot.required)
        };
        let able: Vec<&Entry> = index.entries.iter().filter(searches).take(OFFLINE_CHOICES_MAX + 1).collect();
        match able.as_slice() {
            [] => Decision::Nothing,
            [only] => self.settle(index, sentence, Reading::of(only, sentence)),
            several if several.len() <= OFFLINE_CHOICES_MAX => Decision::Which(able),
            _ => Decision::Nothing,
        }
    }

    /// Whether an action was said only by words that also say the other one, as "make" says both to create and to update.
    fn shares_a_word(&self, action: Action, with: Option<Action>) -> bool {
        let said = |span: usize, action: Option<Action>| self.actions.iter().any(|act| act.span == span && Some(act.action) == action);
        self.actions.iter().filter(|act| act.action == action).all(|act| said(act.span, with))
    }

    /// Whether an action was said only to give an argument that the call has: "create an issue and put the label bug on it".
    fn only_sets(&self, action: Action, sentence: &Sentence<'_>, reading: &Reading<'_>) -> bool {
        let sets = |act: &Act| {
            let behind = (act.span + 1..).find(|at| sentence.get(*at).is_none_or(|span| !span.meanings.contains(&Meaning::Stop)));
            behind.is_some_and(|at| sentence.get(at).is_some_and(|span| reading.is_used(at) && reading.gives(span)))
        };
        matches!(action, Action::Create | Action::Update) && self.actions.iter().filter(|act| act.action == action).all(sets)
    }

    /// Whether the sentence has a verb that commands what a changing function does. Where the lexicon does not know the function's
    /// verb, the verb is one of its name's words, and all of them must be said.
    fn commands(&self, index: &Index, wanted: &[Action], entry: &Entry) -> bool {
        match entry.action {
            Some(does) if does.reads() => wanted.iter().any(|wanted| wanted.reads()),
            Some(does) => wanted.contains(&does),
            None => {
                let said = |stem: &String| entry.objects.iter().flatten().any(|own| own == stem);
                self.named_share(index, entry) > 0.99 && !self.participles.iter().any(said)
            }
        }
    }
}
