//! The numbered steps of the keyspace, and what a start makes of them.

/// One step: its number, its name, its script.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    pub number: u32,
    pub name: &'static str,
    pub(super) script: &'static str,
}

/// All steps this program knows, in order. Their files stand in `migrations/`.
pub const MIGRATIONS: [Migration; 1] =
    [Migration { number: 1, name: "0001_initial", script: include_str!("../../migrations/0001_initial.lua") }];

/// The schema that this program reads and writes.
#[expect(clippy::indexing_slicing, reason = "evaluated at compile time: an empty list would not compile")]
pub const SCHEMA: u32 = MIGRATIONS[MIGRATIONS.len() - 1].number;

/// What a keyspace is, compared with this program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keyspace {
    /// Nothing in it yet.
    Empty,
    Current,
    /// Steps are missing.
    Behind {
        schema: u32,
    },
    /// A newer release was here.
    Newer {
        schema: u32,
    },
}

impl Keyspace {
    /// `schema` 0 means that nothing was ever written.
    pub fn of(schema: u32) -> Self {
        match schema {
            0 => Self::Empty,
            SCHEMA => Self::Current,
            older if older < SCHEMA => Self::Behind { schema: older },
            newer => Self::Newer { schema: newer },
        }
    }
}

/// What running the missing steps came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Migrated {
    /// The names of the steps that were run.
    Ran(Vec<&'static str>),
    /// Somebody else is at it.
    Held,
    /// The keyspace is newer than this program: nothing was touched.
    Newer { schema: u32 },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbered_without_gaps_and_named_after_their_number() {
        for (i, step) in MIGRATIONS.iter().enumerate() {
            assert_eq!(step.number as usize, i + 1);
            assert!(step.name.starts_with(&format!("{:04}_", step.number)));
        }
    }

    #[test]
    fn every_file_among_the_migrations_is_a_known_step() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations");
        let files = std::fs::read_dir(dir).unwrap().filter_map(|f| f.unwrap().file_name().into_string().ok());
        let mut steps: Vec<_> = files.filter_map(|f| f.strip_suffix(".lua").map(str::to_owned)).collect();
        steps.sort();
        assert_eq!(steps, MIGRATIONS.map(|m| m.name.to_owned()));
    }
}
