-- session_label: a caller calls a session otherwise, pins it, notes something of it. Repeating it is safe.
-- KEYS 1 account 2 revoked 3 session
-- ARGV 1 token id 2 issued ms 3 requests/min 4 the session's id 5.. field, value ('': it goes) …
-- returns {'OK', role, 1, or 0: there is no such session} | {'REVOKED'} | {'LIMITED', ms} | {'UNREADABLE'}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local s, bad = session_of(KEYS[3])
if bad then return {'UNREADABLE'} end
if not s or s.sid ~= ARGV[4] then return {'OK', a[1], 0} end
for i = 5, #ARGV, 2 do
  if ARGV[i + 1] == '' then redis.call('HDEL', KEYS[3], ARGV[i]) else redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1]) end
end
return {'OK', a[1], 1}
