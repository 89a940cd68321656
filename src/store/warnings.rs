//! What is set in Redis so that something may be lost, as operators are told it.

use crate::domain::language::Language;

/// Something that Redis itself says of how it is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoreWarning {
    /// When its memory is full it drops keys: users, sessions, journals of running turns.
    Evicts,
    /// It keeps no append-only file.
    NoAppendOnlyFile,
    /// Fewer replicas than turns must be on.
    ReplicasMissing,
    /// Nothing stops a primary without replicas from taking writes, so one that is cut off, or one that was promoted empty, may take some.
    MinReplicasUnset,
    /// It did not let itself be asked.
    NotTold,
}

impl StoreWarning {
    /// Stable, for programs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Evicts => "redis_evicts",
            Self::NoAppendOnlyFile => "redis_append_only_off",
            Self::ReplicasMissing => "redis_replicas_missing",
            Self::MinReplicasUnset => "redis_min_replicas_unset",
            Self::NotTold => "redis_not_checked",
        }
    }

    /// Whether turns that are called durable would not be.
    pub fn breaks_durability(self) -> bool {
        self == Self::Evicts
    }

    pub fn sentence(self, language: Language) -> &'static str {
        match self {
            Self::Evicts => language.choose(
                "Redis drops users and sessions when its memory is full: set maxmemory-policy to noeviction",
                "Redis 内存占满时会丢弃用户和会话：请将 maxmemory-policy 设为 noeviction",
            ),
            Self::NoAppendOnlyFile => language.choose(
                "Redis keeps no append-only file, so a restart loses what came after its last snapshot: set appendonly to yes",
                "Redis 未启用 AOF 文件，重启会丢失上次快照之后的数据：请将 appendonly 设为 yes",
            ),
            Self::ReplicasMissing => language.choose(
                "Redis has fewer replicas in step than store.durable_replicas: turns are refused until they are there",
                "Redis 已同步的副本少于 store.durable_replicas：在副本就绪之前，对话请求会被拒绝",
            ),
            Self::MinReplicasUnset => language.choose(
                "a Redis without replicas takes writes that a failover loses: set min-replicas-to-write to 1 or more",
                "没有副本的 Redis 仍会接受写入，故障转移会丢失这些写入：请将 min-replicas-to-write 设为 1 或更大",
            ),
            Self::NotTold => language.choose(
                "Redis does not let itself be asked how it is set up (INFO), so that was not checked",
                "Redis 不允许查询其配置（INFO），因此未能检查",
            ),
        }
    }
}
