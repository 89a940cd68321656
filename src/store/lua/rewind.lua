-- rewind: a caller takes the newest turns out of a conversation, unless a run holds the session or waits for it.
-- KEYS 1 account 2 revoked 3 session 4 history 5 x 6 la 7 sm 8 waiting 9 events
-- ARGV 1 token id 2 issued ms 3 requests/min 4 idle ms 5 member 6 the session's id, or '' 7 the number that the next turn gets
--      8 9 10 session, fence, version that the client knows, or '', 0, 0
-- returns {'OK', role, now, {session}} | {'REVOKED'} | {'LIMITED', ms} | {'BUSY', run, ms left} | {'NO_TURN'} | {'NO_SESSION'}
--       | {'UNREADABLE'} | {'MOVED', session, fence, version}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local s, bad = session_of(KEYS[3], 'sl')
if bad then return {'UNREADABLE'} end
if not s or not is_named(s, ARGV[6]) then return {'NO_SESSION'} end
local not_expected = moved(s, a[7], ARGV[8], ARGV[9], ARGV[10])
if not_expected then return not_expected end
if s.rid ~= '' then return {'BUSY', s.rid, math.max(0, s.lu - now)} end
local waits = redis.call('LINDEX', KEYS[8], 0)
if waits then return {'BUSY', (waiting_run(waits)), 0} end
local left = tonumber(ARGV[7]) - s.base
if left < 0 or left > s.len then return {'NO_TURN'} end
local cut = left < s.len
if cut then
  if left == 0 then redis.call('DEL', KEYS[4]) else redis.call('LTRIM', KEYS[4], 0, left - 1) end
  -- a summary that tells of what is gone goes as well
  if s.sl ~= '' and (tonumber(s.sl) or 0) >= s.base + left then redis.call('HDEL', KEYS[3], 'sl', 'sum') end
  if left == 0 then redis.call('HDEL', KEYS[3], 'ti') end
  redis.call('DEL', KEYS[9])
  s.len, s.ver = left, s.ver + 1
end
s.la = now
redis.call('HSET', KEYS[3], 'len', s.len, 'ver', s.ver, 'la', now)
keep(s, tonumber(ARGV[4]), {KEYS[3], KEYS[4]}, ARGV[5], KEYS[5], KEYS[6], KEYS[7])
return {'OK', a[1], now, told(s, a[7])}
