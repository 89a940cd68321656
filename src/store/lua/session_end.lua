-- session_end: a caller ends one of their sessions. Nothing of it is left; a run that holds it is fenced off.
-- KEYS 1 account 2 revoked 3 session 4 history 5 journal 6 waiting 7 runs 8 open 9 kept replies 10 x 11 la 12 sm 13 events 14 slots
-- ARGV 1 token id 2 issued ms 3 requests/min 4 the session's id 5 member 6 what the names of kept replies begin with 7 slot
-- returns {'OK', role, 1, or 0: there is no such session} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
-- one that cannot be read is ended all the same, if its id says that it is this one
local sid = redis.pcall('HGET', KEYS[3], 'sid')
if sid ~= ARGV[4] then return {'OK', a[1], 0} end
wipe(KEYS[1], {KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[13]}, ARGV[5], ARGV[6], 'ended')
redis.call('ZREM', KEYS[10], ARGV[5]); redis.call('ZREM', KEYS[11], ARGV[5]); redis.call('HDEL', KEYS[12], ARGV[5])
redis.call('SREM', KEYS[14], ARGV[7])
return {'OK', a[1], 1}
