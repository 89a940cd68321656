-- peek: somebody else reads what was said in a session. Nothing of it changes, not even when it ends.
-- KEYS 1 account 2 session 3 history
-- ARGV 1 records wanted 2 only those before this turn, or '' 3 bytes that fill a page 4 the id of the session that is named, or ''
-- returns {'OK', {session}, the session's key or '', the first record's number, {records}, what it has come to or ''} | {'NONE'} | {'UNREADABLE'}
local s, bad = session_of(KEYS[2], 'dk', 'tot')
if bad then return {'UNREADABLE'} end
if not s or not is_named(s, ARGV[4]) then return {'NONE'} end
local records, first = tail_of(KEYS[3], s, tonumber(ARGV[1]), ARGV[2], tonumber(ARGV[3]))
if not records then return {'UNREADABLE'} end
local gen = tonumber(redis.call('HGET', KEYS[1], 'gen') or '0') or 0
return {'OK', told(s, gen), s.dk, first, records, s.tot}
