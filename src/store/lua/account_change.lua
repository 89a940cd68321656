-- account_change: fields of an account; '1' in ARGV 1 voids the tokens issued before, and stops what runs on their strength. Repeating it is safe.
-- KEYS 1 account 2 session 3 slots
-- ARGV 1 void tokens 2 the password's hash that must be there, or '' 3 field 4 value or '' 5 '1' the field goes, else '0'
--      6.. the next three, and so on
-- returns 1 changed | 0 no such user | 2 the password is another
if redis.call('HEXISTS', KEYS[1], 'role') == 0 then return 0 end
local hash = redis.call('HGET', KEYS[1], 'ph')
local fits = ARGV[2] == '' or hash == ARGV[2]
for i = 3, #ARGV, 3 do
  -- this very change, whose answer was lost
  if ARGV[i] == 'ph' and hash == ARGV[i + 1] then fits = true end
end
if not fits then return 2 end
for i = 3, #ARGV, 3 do
  if ARGV[i + 2] == '1' then redis.call('HDEL', KEYS[1], ARGV[i]) else redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
end
if ARGV[1] == '1' then
  local t = redis.call('TIME')
  redis.call('HSET', KEYS[1], 'tv', t[1] * 1000 + math.floor(t[2] / 1000))
  local function stop(session)
    local run = redis.pcall('HGET', session, 'rid')
    if type(run) == 'string' and run ~= '' then redis.call('HSET', session, 'cx', 'revoked') end
  end
  stop(KEYS[2])
  for _, slot in ipairs(other_slots(KEYS[3], KEYS[2])) do stop(at_slot(KEYS[2], slot)) end
end
return 1
