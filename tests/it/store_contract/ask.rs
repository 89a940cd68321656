//! Who asks a store for a session, and for what.

use swagger_api_agent::{
    domain::{
        rate::Counted,
        session::{Revision, SessionId},
        slot::SessionSlot,
        turn::OnBusy,
        user::UserName,
    },
    store::{
        Store,
        contract::{Begin, Begun, Caller, Idempotency, Lease, Started, StoreError},
    },
};

use super::bed::LONG_MS;

/// A token of a user, as a login would have issued it.
#[derive(Debug, Clone)]
pub struct Token {
    pub user: UserName,
    pub issued_ms: u64,
    /// The session that its requests name.
    pub session: Option<SessionId>,
    /// What was told of its user's rates.
    pub counted: Counted,
}

impl Token {
    /// The same token, with requests that name this session.
    pub fn within(&self, session: &SessionId) -> Self {
        Self { session: Some(session.clone()), ..self.clone() }
    }

    /// Where the session stands that its requests name.
    pub fn slot(&self) -> SessionSlot {
        SessionSlot { user: self.user.clone(), slot: self.caller().slot() }
    }

    pub fn caller(&self) -> Caller<'_> {
        Caller { user: &self.user, token_id: "jti", issued_ms: self.issued_ms, counted: &self.counted, session: self.session.as_ref() }
    }
}

/// A run that asks for its user's session.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    token: &'a Token,
    run: String,
    owner: String,
    lease_ms: u64,
    tail: usize,
    key: Option<(&'a str, &'a str)>,
    on_busy: OnBusy,
    expects: Option<&'a Revision>,
    running_max: u64,
}

impl<'a> Ask<'a> {
    /// A run of this name with an owner of its own.
    pub fn new(token: &'a Token, run: &str) -> Self {
        Self {
            token,
            run: token.caller().slot().run_id(run),
            owner: format!("A#{run}"),
            lease_ms: LONG_MS,
            tail: 20,
            key: None,
            on_busy: OnBusy::Reject,
            expects: None,
            running_max: 0,
        }
    }

    pub fn owner(mut self, owner: &str) -> Self {
        owner.clone_into(&mut self.owner);
        self
    }

    pub fn lease_ms(mut self, lease_ms: u64) -> Self {
        self.lease_ms = lease_ms;
        self
    }

    pub fn tail(mut self, tail: usize) -> Self {
        self.tail = tail;
        self
    }

    /// With an idempotency key and the fingerprint of what is asked.
    pub fn key(mut self, key: &'a str, fingerprint: &'a str) -> Self {
        self.key = Some((key, fingerprint));
        self
    }

    /// What happens if another holds the session.
    pub fn on_busy(mut self, on_busy: OnBusy) -> Self {
        self.on_busy = on_busy;
        self
    }

    pub fn expects(mut self, revision: &'a Revision) -> Self {
        self.expects = Some(revision);
        self
    }

    /// Refused if runs are in so many other sessions of the user's.
    pub fn running_max(mut self, running_max: u64) -> Self {
        self.running_max = running_max;
        self
    }

    pub fn idempotency(&self) -> Option<Idempotency<'a>> {
        self.key.map(|(key, fingerprint)| Idempotency { key, fingerprint })
    }

    pub fn begin(&self) -> Begin<'_> {
        let (lease_ms, tail) = (self.lease_ms, self.tail);
        let input = self.run.as_bytes();
        let (run, owner) = (&*self.run, &*self.owner);
        let (on_busy, expects, running_max) = (self.on_busy, self.expects, self.running_max);
        let (caller, idempotency) = (self.token.caller(), self.idempotency());
        Begin { caller, run, owner, lease_ms, tail, input, idempotency, on_busy, expects, running_max }
    }

    pub async fn try_of(&self, store: &Store) -> Result<Begun, StoreError> {
        store.begin(self.begin()).await
    }

    pub async fn of(&self, store: &Store) -> Begun {
        self.try_of(store).await.expect("the store answers")
    }

    pub fn lease(&self, started: &Started) -> Lease {
        let (user, run, token) = (self.token.user.clone(), started.run.clone(), started.token.clone());
        Lease { user, run, token, turns_at: started.turns_at.clone() }
    }
}
