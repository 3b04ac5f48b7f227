//! Random histories of one object's states, compared with a model after every step.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use super::super::SessionId;
use super::super::State;
use super::subject::Subject;

const HISTORIES: usize = 12;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// What is expected lies `behind` places behind the newest state; the new key is `ahead` of it; so many are kept.
    Commit {
        behind: usize,
        ahead: u64,
        kept: usize,
    },
    Forget,
}

fn step() -> impl Strategy<Value = Step> {
    let behind = prop_oneof![4 => Just(0_usize), 1 => 1..3_usize];
    prop_oneof![
        9 => (behind, 1..4_u64, 0..3_usize).prop_map(|(behind, ahead, kept)| Step::Commit { behind, ahead, kept }),
        1 => Just(Step::Forget),
    ]
}

pub(super) async fn random_histories_agree_with_a_model(subject: &Subject) {
    let mut runner = TestRunner::default();
    for n in 0..HISTORIES {
        let history = vec(step(), 1..12).new_tree(&mut runner).unwrap().current();
        let session = subject.store.session(1, 3, "EAS", &n.to_string()).await.unwrap();
        run(subject, session, &history).await;
    }
}

/// A failure shows the history, which is all that is needed to play it again.
async fn run(subject: &Subject, session: SessionId, history: &[Step]) {
    let store = &subject.store;
    // The newest first, as the store gives them.
    let mut model: Vec<State> = Vec::new();
    for (n, step) in history.iter().enumerate() {
        match *step {
            Step::Forget => {
                store.forget(session, "7").await.unwrap();
                model.clear();
            }
            Step::Commit { behind, ahead, kept } => {
                let expected = model.get(behind).map(|state| state.key);
                let new = State {
                    key: expected.unwrap_or_default() + ahead,
                    bytes: vec![n.to_le_bytes()[0]],
                };
                let keep: Vec<u64> = model.iter().take(kept).map(|state| state.key).collect();
                let won = store.commit(session, "7", expected, new.clone(), &keep).await.unwrap();
                let newest = model.first().map(|state| state.key);
                assert_eq!(won, expected == newest, "step {n} of {history:?}");
                if won {
                    model.truncate(kept);
                    model.insert(0, new);
                }
            }
        }
        assert_eq!(
            store.states(session, "7").await.unwrap(),
            model,
            "after step {n} of {history:?}"
        );
    }
}
