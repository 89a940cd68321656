-- session_open: a caller begins a session beside the main one, with a conversation if one is given. Repeating it is safe.
-- KEYS 1 account 2 revoked 3 session 4 history 5 slots 6 x 7 la 8 sm 9 the main session
-- ARGV 1 token id 2 issued ms 3 requests/min 4 idle ms 5 max ms 6 member 7 session id 8 slot 9 how many a user may have
--      10 its key or '' 11 title or '' 12 pinned or '' 13 metadata or '' 14.. records, one a turn
-- returns {'OK', role, now, {labelled}} | {'FULL'} | {'REVOKED'} | {'LIMITED', ms} | {'UNREADABLE'}
local RECORDS = 14
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local s, bad = session_of(KEYS[3])
if bad then return {'UNREADABLE'} end
if not s then   -- else it was begun, and the answer was lost
  if #other_slots(KEYS[5], KEYS[9]) >= tonumber(ARGV[9]) then return {'FULL'} end
  redis.call('DEL', KEYS[3], KEYS[4])
  s = fresh(KEYS[3], ARGV[7], tonumber(ARGV[5]))
  for i, name in ipairs({'dk', 'ut', 'pin', 'md'}) do
    if ARGV[9 + i] ~= '' then redis.call('HSET', KEYS[3], name, ARGV[9 + i]) end
  end
  for i = RECORDS, #ARGV do redis.call('RPUSH', KEYS[4], ARGV[i]) end
  s.len = #ARGV - RECORDS + 1
  if s.len > 0 then s.ver = 1; redis.call('HSET', KEYS[3], 'len', s.len, 'ver', s.ver) end
  keep(s, tonumber(ARGV[4]), {KEYS[3], KEYS[4]}, ARGV[6], KEYS[6], KEYS[7], KEYS[8])
end
redis.call('SADD', KEYS[5], ARGV[8])
return {'OK', a[1], now, labelled(KEYS[3], a[7])}
