//! The tables of docs/RELIABILITY.md and its Chinese twin, written between two marks from what all runs found.

use std::{fs, io, path::Path};

use crate::{
    ablations::FoundOut,
    check::INVARIANTS,
    figures::{Figures, Found, rate},
};

const BEGIN: &str = "<!-- written by tests/lab: begin -->";
const END: &str = "<!-- written by tests/lab: end -->";
const ABLATIONS_BEGIN: &str = "<!-- written by tests/lab --ablations: begin -->";
const ABLATIONS_END: &str = "<!-- written by tests/lab --ablations: end -->";
/// What people read, and in which language.
const FILES: [(&str, Language); 2] = [("docs/RELIABILITY.md", Language::English), ("docs/RELIABILITY.zh-CN.md", Language::Chinese)];

/// The invariants in Chinese, by number.
const IN_CHINESE: [&str; 20] = [
    "有改动的调用至多生效一次",
    "被告知已完成的调用恰好生效一次",
    "同一个键只对应一次运行和一份逐字节相同的应答；换了内容则被拒绝",
    "已告知的最终结果不再改变：会话只增不减，已结束的运行不再变化，任何一轮不会出现两次",
    "每一次生效都有已发送的记录",
    "无保护的调用只发送一次，其他调用至多按中断次数重发",
    "告知未发送的从未发送；告知未知的确有故障，且其后不再发送任何改动",
    "被确认的一轮确实存在并会结束",
    "每个会话的历史可线性化",
    "各轮计数无缺口、无重复、次序一致",
    "任何人都看不到其他用户的文本",
    "会话被终止后不再为它发送任何请求",
    "需要确认的调用，只在该用户恰好一次确认之后发送",
    "请求的来源、方法、路径、头和凭据都属于该 API；一个键只属于一次调用",
    "每一轮都不超出轮次与调用数的预算",
    "静止时存储中没有被持有、未结束、排队或永不过期的内容，被终止的会话不留痕迹，封存的内容不以明文出现",
    "除 503 与 504 外没有 5xx，有效令牌不会得到 401；503、429 和会话忙的 409 都说明何时再来",
    "已据以行动的计划是唯一的计划",
    "最后一次故障之后，一切在租约、巡检与一轮的时限之内结束",
    "展示的请求就是发送的请求",
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Language {
    English,
    Chinese,
}

impl Language {
    fn choose<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// Writes the figures of both files anew.
pub fn write(house: &Path, found: &Found) -> io::Result<()> {
    write_between(house, (BEGIN, END), |language| tables(found, language))
}

/// Writes the table of both files anew that tells what was found without each safety.
pub fn write_ablations(house: &Path, commit: &str, found: &[FoundOut]) -> io::Result<()> {
    write_between(house, (ABLATIONS_BEGIN, ABLATIONS_END), |language| ablations(commit, found, language))
}

fn write_between(house: &Path, (begin, end): (&str, &str), told: impl Fn(Language) -> String) -> io::Result<()> {
    for (file, language) in FILES {
        let path = house.join(file);
        let text = fs::read_to_string(&path)?;
        let (head, rest) = text.split_once(begin).ok_or_else(|| io::Error::other(format!("{file} has no mark {begin}")))?;
        let (_, tail) = rest.split_once(end).ok_or_else(|| io::Error::other(format!("{file} has no mark {end}")))?;
        fs::write(path, format!("{head}{begin}\n{}{end}{tail}", told(language)))?;
    }
    Ok(())
}

fn ablations(commit: &str, found: &[FoundOut], language: Language) -> String {
    let mut told = match language {
        Language::English => format!(
            "\nCommit {commit}.\n\n| safety off | what is missing | invariants found broken (how often) | epochs |\n|---|---|---|---:|\n"
        ),
        Language::Chinese => {
            format!("\n提交 {commit}。\n\n| 关闭的保护 | 缺少什么 | 被发现违反的不变量（次数） | 轮数 |\n|---|---|---|---:|\n")
        }
    };
    for one in found {
        let broken: Vec<String> = one.broken.iter().map(|(invariant, count)| format!("{invariant} ({count})")).collect();
        let broken = if broken.is_empty() { language.choose("**none**", "**无**").to_owned() } else { broken.join(", ") };
        told += &format!("| `{}` | {} | {broken} | {} |\n", one.name, language.choose(one.english, one.chinese), one.epochs);
    }
    told.push('\n');
    told
}

fn tables(found: &Found, language: Language) -> String {
    let all: Vec<(&str, &Figures)> = found.topologies.iter().map(|(name, figures)| (name.as_str(), figures)).collect();
    let mut total = Figures::default();
    all.iter().for_each(|(_, figures)| total.merge(figures));
    let columns: Vec<(&str, &Figures)> = all.iter().copied().chain([(language.choose("all", "合计"), &total)]).collect();
    let mut told = format!(
        "\n{}\n\n",
        match language {
            Language::English => format!("Commits {} to {}; {} s under faults.", found.since, found.until, total.seconds),
            Language::Chinese => format!("提交 {} 至 {}；故障下运行 {} 秒。", found.since, found.until, total.seconds),
        }
    );
    told += &row(language.choose("what was done", "所做的事"), &columns, |(name, _)| (*name).to_owned());
    told += &format!("|---|{}\n", "---:|".repeat(columns.len()));
    type Count = fn(&Figures) -> u64;
    let counts: [(&str, &str, Count); 15] = [
        ("replicas killed (SIGKILL, or at a kill point)", "被杀死的副本（SIGKILL 或在致死点）", Figures::kills),
        ("… of them at kill points", "…其中在致死点", |figures| figures.fault("killpoint")),
        ("failovers", "主从切换", |figures| figures.fault("failover")),
        ("restarts of the store after SIGKILL", "存储被 SIGKILL 后重启", |figures| figures.fault("store restart")),
        ("replicas stopped for longer than the lease", "副本暂停超过租约", |figures| figures.fault("pause")),
        (
            "link faults (cut, slow, narrow, reset, half closed, truncated)",
            "链路故障（中断、缓慢、限速、重置、半关闭、截断）",
            Figures::links,
        ),
        ("replicas told to end (SIGTERM)", "副本被要求退出（SIGTERM）", |figures| figures.fault("terminate")),
        ("SCRIPT FLUSH", "SCRIPT FLUSH", |figures| figures.fault("script flush")),
        ("operations of clients", "客户端操作", |figures| figures.operations),
        ("… sent again by them", "…其中重发次数", |figures| figures.repetitions),
        ("turns answered", "已应答的轮次", |figures| figures.turns),
        ("requests at the API", "到达 API 的请求", |figures| figures.upstream_requests),
        ("effects at the API", "在 API 生效的改动", |figures| figures.effects),
        ("calls told as unknown", "告知结果未知的调用", |figures| figures.unknowns),
        ("turns cut off by a death and answered all the same", "因副本死亡中断而仍得到应答的轮次", |figures| {
            figures.recovery.count
        }),
    ];
    for (english, chinese, count) in counts {
        told += &row(language.choose(english, chinese), &columns, |(_, figures)| count(figures).to_string());
    }
    told += &row(language.choose("… p50, p99, max in ms", "…p50、p99、最大值（毫秒）"), &columns, |(_, figures)| {
        let part = |part: f64| figures.recovery.percentile(part).map_or("-".to_owned(), |ms| ms.to_string());
        if figures.recovery.count == 0 { "-".to_owned() } else { format!("{}, {}, {}", part(0.5), part(0.99), figures.recovery.max_ms) }
    });
    told += &format!(
        "\n| | {} | {} |\n|---:|---|---:|\n",
        language.choose("what must hold", "必须成立的"),
        language.choose("violations (95 % bound)", "违反次数（95 % 上界）")
    );
    for ((invariant, sentence), chinese) in INVARIANTS.into_iter().zip(IN_CHINESE) {
        let (wrong, of) = (total.violations.get(&invariant).copied().unwrap_or(0), total.examined.get(&invariant).copied().unwrap_or(0));
        let counted = match language {
            Language::English => rate(wrong, of),
            Language::Chinese => rate(wrong, of).replace("not examined", "未检查").replace(" of ", " / "),
        };
        told += &format!("| {invariant} | {} | {counted} |\n", language.choose(sentence, chinese));
    }
    if !total.points.is_empty() {
        let points: Vec<String> = total.points.iter().map(|(point, count)| format!("{point} {count}")).collect();
        told += &format!("\n{}{}\n", language.choose("Deaths by kill point: ", "各致死点的死亡次数："), points.join(", "));
    }
    told.push('\n');
    told
}

fn row<T>(name: &str, columns: &[T], cell: impl Fn(&T) -> String) -> String {
    format!("| {name} | {} |\n", columns.iter().map(cell).collect::<Vec<_>>().join(" | "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_have_their_marks_and_every_row() {
        let mut found = Found { since: "aaaaaaa".to_owned(), until: "bbbbbbb".to_owned(), ..Found::default() };
        let mut figures = Figures::default();
        figures.faults.insert("kill".to_owned(), 7);
        figures.examined.insert(1, 3000);
        found.topologies.insert("T1".to_owned(), figures);
        let english = tables(&found, Language::English);
        assert!(english.contains("0 of 3000 (< 0.10 %)") && english.contains("| 7 | 7 |"), "{english}");
        assert!(tables(&found, Language::Chinese).contains("0 / 3000"));
        for text in [include_str!("../../../docs/RELIABILITY.md"), include_str!("../../../docs/RELIABILITY.zh-CN.md")] {
            for (begin, end) in [(BEGIN, END), (ABLATIONS_BEGIN, ABLATIONS_END)] {
                assert!(text.find(begin) < text.find(end) && text.contains(begin));
            }
        }
    }
}
