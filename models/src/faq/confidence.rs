//! How sure the best candidate is: a logistic function of score, gap, nearest wording and length, learnt per base.
//!
//! A base teaches it by itself: a ranker is learnt without each fourth wording, and these are asked for (right or wrong as it
//! comes out), then again with their whole entry taken away (no other answer is right), then messages that no base answers.

use super::candidates::Candidates;
use super::ranker::{Base, Part, Ranker};
use super::{Detail, FaqHit, RANKED, Wording};
use crate::understander::Understander;

pub(crate) struct Confidence {
    weights: Evidence,
}

const EVIDENCE: usize = 6;
type Evidence = [f64; EVIDENCE];

/// What small bases start from: fitted on bases of colloquial service terms, see `models/README.md`.
const PRIOR: Evidence = [-3.2, 2.5, 5.0, 2.5, 2.0, 0.2];
/// How many wordings the prior is worth, in the units of the ridge.
const STRENGTH: f64 = 2.0;
/// Wordings asked for while learning.
const LESSONS: usize = 240;
/// Weight of a question whose answer the base lacks, beside 1 for one it has.
const ABSENT: f64 = 0.3;
/// Weight of all unrelated messages together, beside 1 for all wordings.
const UNRELATED: f64 = 0.3;

/// Messages that no base of service questions answers.
const SMALL_TALK: &[&str] = &[
    "你好",
    "在吗",
    "谢谢",
    "好的",
    "嗯嗯",
    "哈哈哈",
    "再见",
    "今天天气怎么样",
    "你是机器人吗",
    "给我讲个笑话",
    "晚上吃什么",
    "我好无聊",
    "明天会下雨吗",
    "帮我写首诗",
    "股票还会涨吗",
    "世界杯谁赢了",
    "你几岁了",
    "1",
    "？",
    "收到",
    "知道了",
    "早上好",
    "随便看看",
    "没事了",
    "我女朋友生气了怎么办",
    "北京到上海多远",
    "孩子数学作业不会",
    "最近有什么好看的电影",
    "推荐一首歌",
    "人活着为了什么",
];

/// A candidate and what speaks for it.
#[derive(Clone, Copy)]
struct Ranked {
    entry: usize,
    score: f32,
    nearest: f32,
}

impl Ranked {
    fn rank(&self) -> f32 {
        self.score + 0.5 * self.nearest
    }
}

impl Confidence {
    pub(crate) fn learn(
        understander: &Understander,
        detail: Detail,
        entries: &[Vec<Wording>],
        candidates: &Candidates,
        base: &Base,
    ) -> Confidence {
        let places: Vec<(usize, usize)> = entries
            .iter()
            .enumerate()
            .flat_map(|(entry, wordings)| (0..wordings.len()).map(move |w| (entry, w)))
            .filter(|(_, wording)| !Part::WithoutFourths.holds(*wording))
            .collect();
        let ranker = Ranker::learn(base, Part::WithoutFourths);
        let judge = Judge {
            base,
            ranker: &ranker,
            candidates,
            part: Part::WithoutFourths,
        };
        let stride = places.len().div_ceil(LESSONS).max(1);
        let mut lessons: Vec<(Evidence, f64, f64)> = Vec::new();
        for (entry, index) in places.into_iter().step_by(stride) {
            let wording = &entries[entry][index];
            let ranked = judge.rank(wording, 2, None);
            if let Some(best) = ranked.first() {
                let right = f64::from(u8::from(best.entry == entry));
                lessons.push((evidence(&ranked, 0, wording), right, 1.0));
            }
            let others = judge.rank(wording, 2, Some(entry));
            if !others.is_empty() {
                lessons.push((evidence(&others, 0, wording), 0.0, ABSENT));
            }
        }
        let total: f64 = lessons.len() as f64;
        for text in SMALL_TALK {
            let wording = Wording::read(understander, text, detail);
            let ranked = judge.rank(&wording, 2, None);
            // A base that has an entry for greetings answers greetings.
            if ranked.first().is_some_and(|best| best.nearest < 0.85) {
                let weight = (total * UNRELATED).max(10.0) / SMALL_TALK.len() as f64;
                lessons.push((evidence(&ranked, 0, &wording), 0.0, weight));
            }
        }
        Confidence {
            weights: fit(&lessons),
        }
    }

    pub(crate) fn hits(&self, judge: &Judge<'_>, wording: &Wording, limit: usize) -> Vec<FaqHit> {
        let ranked = judge.rank(wording, limit.max(2), None);
        let mut hits = Vec::with_capacity(limit);
        let mut last: f64 = 1.0;
        for place in 0..ranked.len().min(limit) {
            let logit: f64 = evidence(&ranked, place, wording)
                .iter()
                .zip(&self.weights)
                .map(|(e, w)| e * w)
                .sum();
            last = last.min(logistic(logit));
            hits.push(FaqHit {
                index: ranked[place].entry,
                score: last,
            });
        }
        hits
    }
}

/// What a query is judged by.
pub(crate) struct Judge<'a> {
    pub base: &'a Base,
    pub ranker: &'a Ranker,
    pub candidates: &'a Candidates,
    pub part: Part,
}

impl Judge<'_> {
    /// The `depth` best entries, best first: by their scores, then by their nearest wording as well.
    fn rank(&self, wording: &Wording, depth: usize, without: Option<usize>) -> Vec<Ranked> {
        let query = self.base.vector(wording);
        let mut ranked: Vec<Ranked> = self.base.with_spread(&query, |spread| {
            let mut scores = self
                .ranker
                .scores(self.base, self.part, &query, spread, || {
                    self.candidates.find(wording, RANKED)
                });
            scores.retain(|(entry, _)| Some(*entry) != without);
            let order =
                |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
            if scores.len() > depth {
                scores.select_nth_unstable_by(depth - 1, order);
                scores.truncate(depth);
            }
            let nearest = |entry| self.base.nearest(spread, entry, self.part);
            scores
                .into_iter()
                .map(|(entry, score)| Ranked {
                    entry,
                    score,
                    nearest: nearest(entry),
                })
                .collect()
        });
        ranked.sort_by(|a, b| b.rank().total_cmp(&a.rank()).then(a.entry.cmp(&b.entry)));
        ranked
    }
}

fn evidence(ranked: &[Ranked], place: usize, wording: &Wording) -> Evidence {
    let hit = ranked[place];
    let rival = ranked
        .get(usize::from(place == 0))
        .map_or(0.0, Ranked::rank);
    let gap = f64::from(hit.rank() - rival);
    let nearest = f64::from(hit.nearest);
    let exact = if nearest > 0.98 { 1.0 } else { 0.0 };
    [
        1.0,
        f64::from(hit.score),
        nearest,
        gap,
        exact,
        (wording.length.min(12) as f64).ln_1p(),
    ]
}

fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

/// Logistic regression by Newton's method, drawn towards the prior.
fn fit(lessons: &[(Evidence, f64, f64)]) -> Evidence {
    let mut weights = PRIOR;
    for _ in 0..25 {
        let mut gradient = [0f64; EVIDENCE];
        let mut hessian = [[0f64; EVIDENCE]; EVIDENCE];
        for i in 0..EVIDENCE {
            gradient[i] = STRENGTH * (weights[i] - PRIOR[i]);
            hessian[i][i] = STRENGTH;
        }
        for (evidence, right, weight) in lessons {
            let logit: f64 = evidence.iter().zip(&weights).map(|(e, w)| e * w).sum();
            let p = logistic(logit);
            for i in 0..EVIDENCE {
                gradient[i] += weight * (p - right) * evidence[i];
                for j in 0..EVIDENCE {
                    hessian[i][j] += weight * p * (1.0 - p) * evidence[i] * evidence[j];
                }
            }
        }
        let step = solve(hessian, gradient);
        let size: f64 = step.iter().map(|s| s.abs()).sum();
        // A long step means the quadratic picture is poor: walk part of it.
        let scale = if size > 4.0 { 4.0 / size } else { 1.0 };
        for (w, s) in weights.iter_mut().zip(step) {
            *w -= scale * s;
        }
        if size < 1e-9 {
            break;
        }
    }
    // A better score, a nearer wording and a wider gap never speak against an answer.
    for weight in &mut weights[1..5] {
        *weight = weight.max(0.0);
    }
    weights
}

/// Gaussian elimination on a positive definite matrix.
fn solve(mut a: [[f64; EVIDENCE]; EVIDENCE], mut b: Evidence) -> Evidence {
    for i in 0..EVIDENCE {
        for k in i + 1..EVIDENCE {
            let factor = a[k][i] / a[i][i];
            let pivot = a[i];
            for (x, p) in a[k].iter_mut().zip(pivot).skip(i) {
                *x -= factor * p;
            }
            b[k] -= factor * b[i];
        }
    }
    for i in (0..EVIDENCE).rev() {
        let known: f64 = (i + 1..EVIDENCE).map(|j| a[i][j] * b[j]).sum();
        b[i] = (b[i] - known) / a[i][i];
    }
    b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_lessons_the_prior_stands() {
        assert_eq!(fit(&[]), PRIOR);
    }

    #[test]
    fn lessons_draw_the_weights_to_what_they_show() {
        let strong = [1.0, 0.9, 0.9, 0.5, 1.0, 2.0];
        let weak = [1.0, 0.3, 0.3, 0.1, 0.0, 2.0];
        let lessons: Vec<_> = (0..200)
            .map(|i| {
                if i % 2 == 0 {
                    (strong, 1.0, 1.0)
                } else {
                    (weak, 0.0, 1.0)
                }
            })
            .collect();
        let weights = fit(&lessons);
        let p = |e: Evidence| logistic(e.iter().zip(&weights).map(|(e, w)| e * w).sum());
        assert!(p(strong) > 0.95 && p(weak) < 0.05, "{weights:?}");
    }
}
