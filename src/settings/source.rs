//! Where settings are looked for, and where each one was found.

use std::{ffi::OsString, fmt, path::PathBuf};

/// Where settings are looked for: a file, an environment and flags. None of them is the process's own unless it is asked for, so
/// that two services in one process can be told different things.
#[derive(Default)]
pub struct Sources {
    pub(super) file: Option<PathBuf>,
    pub(super) environment: Vec<(OsString, OsString)>,
    pub(super) flags: Vec<Flag>,
}

impl Sources {
    /// The variables of this process.
    #[expect(clippy::disallowed_methods, reason = "this is where the environment is read")]
    pub fn of_process() -> Self {
        Self::default().with_environment(std::env::vars_os())
    }

    /// These variables instead of any given before.
    pub fn with_environment<N: Into<OsString>, V: Into<OsString>>(self, variables: impl IntoIterator<Item = (N, V)>) -> Self {
        let environment = variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self { environment, ..self }
    }

    /// The file that `--config` names; without it `SAA_CONFIG` may name one.
    pub fn with_file(self, file: Option<PathBuf>) -> Self {
        Self { file, ..self }
    }

    /// What the command line says; of two flags for one setting the later wins.
    pub fn with_flags(self, flags: impl IntoIterator<Item = Flag>) -> Self {
        Self { flags: flags.into_iter().collect(), ..self }
    }
}

/// One flag of the command line. It has no `Debug`: the value may be a secret.
pub struct Flag {
    /// As it was typed: `--port`.
    pub name: &'static str,
    /// The setting it stands for: `server.port`.
    pub key: &'static str,
    /// Unchecked text, like a variable's.
    pub value: String,
}

/// Where a setting was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Default,
    File(PathBuf),
    /// The variable that was used, which may be an older name.
    Variable(String),
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => f.write_str(name),
        }
    }
}
