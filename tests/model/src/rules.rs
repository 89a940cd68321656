//! What can be switched: the rules of the protocol, each of which an ablation turns off, and how much may go wrong in one walk.

/// What a write must prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// The fence number and the nonce of whoever took the run: the protocol.
    Whole,
    /// The fence number alone.
    NumberOnly,
    /// The whole, but whoever takes a run over goes on with the token that it had.
    KeptByTheTaker,
    /// Nothing.
    Unchecked,
}

/// What whoever takes a run over does with a call that has a dispatch marker and no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// Tells it as unknown and never sends it again: the protocol, for a call without a key.
    TellUnknown,
    /// Sends it again with the same key, and the API takes it once: the protocol, for a call with a key.
    SendAgainWithKey,
    /// The same, but when no connection comes about at the second time the call is told as not sent.
    SendAgainAndForget,
    /// Sends it again to an API that takes it twice.
    SendAgainBlindly,
    /// Tells it as done.
    TellDone,
    /// Tells it as not sent.
    TellNotSent,
}

/// How a turn that waits becomes the running one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// One script takes it from the queue and gives it an owner: the protocol.
    OneScript,
    /// One script takes it from the queue, a second one begins it.
    PopThenBegin,
    /// It is read, then begun, and nobody looks whether another has begun it since.
    PeekThenBegin,
}

/// The rules of the protocol. `PROTOCOL` has all of them.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    pub token: Token,
    /// A commit proves its token and that the run is still running.
    pub commit_checked: bool,
    /// A call is sent only after WAIT has counted its dispatch marker.
    pub wait_for_marker: bool,
    /// Whoever has taken a run over sends a call again only after WAIT has counted that it took it.
    pub wait_to_send_again: bool,
    /// A client is told a turn as accepted or ended only after WAIT.
    pub wait_to_tell: bool,
    /// A client is told a kill or a cancel only after WAIT.
    pub wait_to_stop: bool,
    /// A dispatch marker is stored before a call is sent.
    pub marker: bool,
    /// A plan and the marker of its first call are one step; otherwise two, and WAIT is asked for after the second.
    pub plan_with_marker: bool,
    /// Whoever takes a run over uses the plan that is stored; otherwise the planner is asked anew.
    pub plan_kept: bool,
    pub recovery: Recovery,
    pub claim: Claim,
    /// A run whose lease lapsed comes before any new one.
    pub lapsed_first: bool,
    /// A step looks whether its run was killed or cancelled.
    pub stop_checked: bool,
    /// After an unknown outcome no further changing call is sent in that turn.
    pub halt_after_unknown: bool,
}

pub const PROTOCOL: Rules = Rules {
    token: Token::Whole,
    commit_checked: true,
    wait_for_marker: true,
    wait_to_send_again: true,
    wait_to_tell: true,
    wait_to_stop: true,
    marker: true,
    plan_with_marker: true,
    plan_kept: true,
    recovery: Recovery::TellUnknown,
    claim: Claim::OneScript,
    lapsed_first: true,
    stop_checked: true,
    halt_after_unknown: true,
};

/// `store.durability = "single"`: nobody waits for a replica of the store. Honest as long as the store does not fail over.
pub const SINGLE: Rules = Rules { wait_for_marker: false, wait_to_send_again: false, wait_to_tell: false, wait_to_stop: false, ..PROTOCOL };

impl Rules {
    /// Whether a call is sent again when its fate is not known.
    pub fn sends_again(&self) -> bool {
        matches!(self.recovery, Recovery::SendAgainWithKey | Recovery::SendAgainAndForget | Recovery::SendAgainBlindly)
    }

    /// Whether the API takes a call once, however often it comes.
    pub fn deduplicated(&self) -> bool {
        matches!(self.recovery, Recovery::SendAgainWithKey | Recovery::SendAgainAndForget)
    }
}

/// How large the world is, and how much may go wrong in it: what makes the walk finite.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Turns of the one session, at most 2: the second one finds the session free, or waits in the queue.
    pub turns: u8,
    /// Changing calls that the planner asks for in each turn, at most 2.
    pub calls: u8,
    /// Processes that die.
    pub crashes: u8,
    /// Leases that lapse while their owner lives: a stopped process, a clock that jumps. The owner may wake at any time later.
    pub pauses: u8,
    /// Promotions of the store's replica.
    pub failovers: u8,
    /// Processes that are asked to end and give their run back (SIGTERM).
    pub hand_overs: u8,
    /// Replies of the API that do not come back.
    pub lost_replies: u8,
    /// Turns that somebody cancels.
    pub cancels: u8,
    /// Sessions that an administrator ends.
    pub kills: u8,
    /// A run that was taken more often without ending is ended as failed.
    pub takes: u8,
}

pub const CALM: Bounds =
    Bounds { turns: 1, calls: 1, crashes: 0, pauses: 0, failovers: 0, hand_overs: 0, lost_replies: 0, cancels: 0, kills: 0, takes: 3 };
