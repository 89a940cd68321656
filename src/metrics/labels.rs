//! The labels: closed sets, each with the words that are told.

/// A label whose values are all known.
pub(super) trait Label: Copy {
    /// Every value, in the order of [`Label::place`].
    const WORDS: &'static [&'static str];

    fn place(self) -> usize;
}

macro_rules! labels {
    ($($(#[$about:meta])* $name:ident { $($(#[$of_one:meta])* $value:ident = $word:literal,)+ })+) => {$(
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$of_one])* $value),+ }

        impl Label for $name {
            const WORDS: &'static [&'static str] = &[$($word),+];

            fn place(self) -> usize {
                self as usize
            }
        }
    )+};
}

labels! {
    /// What a run is.
    RunKind { Turn = "turn", Call = "call", }

    /// How a run ended.
    RunOutcome {
        Answered = "answered",
        UnknownOutcome = "unknown_outcome",
        Failed = "failed",
        Cancelled = "cancelled",
        Killed = "killed",
    }

    /// Parts of a turn that take time.
    Stage {
        /// The whole of it, from when this process held it.
        Turn = "turn",
        /// The round trip that takes the session.
        Begin = "begin",
        /// One move of the planner.
        Model = "model",
        /// One call of an API, with its credentials.
        Upstream = "upstream",
        /// Storing its end, repetitions included.
        Commit = "commit",
    }

    /// What a connection is.
    ConnectionState {
        /// It waits for its next request, and holds nothing else.
        AtRest = "at_rest",
        /// It is served, or was a moment ago.
        Served = "served",
    }

    /// Tokens of a model.
    TokenKind { Prompt = "prompt", Completion = "completion", }

    /// What a call of an API may do.
    CallClass {
        /// It only reads.
        Safe = "safe",
        /// It changes something, under a key with which the API does it once.
        Keyed = "keyed",
        /// It changes something.
        Changing = "changing",
    }

    /// What came of a call.
    CallOutcome {
        /// A status below 400.
        Done = "done",
        /// A status of 400 to 499.
        Rejected = "rejected",
        /// A status of 500 and more.
        Broken = "broken",
        /// It was not sent, because it may not be.
        Refused = "refused",
        /// It was not done: there was no answer to a call that reads, or it was not sent.
        Failed = "failed",
        /// It may have been done.
        Unknown = "unknown",
    }

    /// How a run that nobody worked on came to this process.
    TakenHow {
        /// Whoever held it is gone.
        Orphaned = "orphaned",
        /// It had waited for the session.
        Waiting = "waiting",
    }

    /// What the store did not do.
    StoreFault {
        Unavailable = "unavailable",
        NotDurable = "not_durable",
        Unreadable = "unreadable",
        Newer = "newer",
    }

    /// Which budget was used up.
    Whose { Turn = "turn", User = "user", Service = "service", }

    /// What came of a login, or of going on with one.
    LoginOutcome {
        Admitted = "admitted",
        WrongCredentials = "wrong_credentials",
        Limited = "limited",
        Refreshed = "refreshed",
        RefreshInvalid = "refresh_invalid",
        RefreshReused = "refresh_reused",
        /// The store or the processors were not to be had.
        Failed = "failed",
    }

    /// Methods that routes take; all others are one.
    Verb { Get = "GET", Head = "HEAD", Post = "POST", Put = "PUT", Patch = "PATCH", Delete = "DELETE", Other = "other", }
}

impl Verb {
    pub fn of(method: &str) -> Self {
        match method {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            _ => Self::Other,
        }
    }

    pub fn as_str(self) -> &'static str {
        Self::WORDS.get(self.place()).copied().unwrap_or("other")
    }
}
