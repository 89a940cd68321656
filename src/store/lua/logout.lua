-- logout: a token is revoked with its family, or everything of its user. No rate is counted: whoever burns it must not keep its owner in.
-- KEYS 1 account 2 revoked 3 session 4 waiting 5 runs 6 refresh 7 slots
-- ARGV 1 token id 2 issued ms 3 the token's family, or '' 4 when the token ends 5 ms that other tokens of the family may still live
--      6 '1': everything of the user 7 '1': what runs is to stop
-- returns {'OK', role, how many waited and do not any more, a run that is told to stop, ms left of its lease, …} | {'REVOKED'}
local a = account_of(KEYS[1], KEYS[2], ARGV[1], ARGV[2])
if not a then return {'REVOKED'} end
if ARGV[6] == '1' then
  -- all that were issued up to now, those of this millisecond too
  redis.call('HSET', KEYS[1], 'tv', now + 1)
  redis.call('HDEL', KEYS[1], 'rv')
  redis.call('DEL', KEYS[2], KEYS[6])
else
  -- by its id as well: replicas of an older release know nothing of families
  revoke(KEYS[1], KEYS[2], ARGV[1], tonumber(ARGV[4]))
  if ARGV[3] ~= '' then
    redis.call('HDEL', KEYS[6], ARGV[3])
    revoke(KEYS[1], KEYS[2], ARGV[3], now + tonumber(ARGV[5]))
  end
end
local answer = {'OK', a[1], 0}
if ARGV[7] ~= '1' then return answer end
local function stop(session, waits)
  -- a session that cannot be read runs nothing
  local s = session_of(session, 'cx')
  if s and s.rid ~= '' then
    answer[#answer + 1] = s.rid
    answer[#answer + 1] = math.max(0, s.lu - now)
    if s.cx == '' then redis.call('HSET', session, 'cx', 'cancelled') end
  end
  local waiting = redis.pcall('LRANGE', waits, 0, -1)
  if not waiting.err and #waiting > 0 then
    for _, entry in ipairs(waiting) do
      local one, accepted = waiting_run(entry)
      ended(KEYS[5], one, 'cancelled', s and s.sid or '', '-', accepted, '')
    end
    redis.call('DEL', waits)
    answer[3] = answer[3] + #waiting
  end
end
stop(KEYS[3], KEYS[4])
for _, slot in ipairs(other_slots(KEYS[7], KEYS[3])) do stop(at_slot(KEYS[3], slot), at_slot(KEYS[4], slot)) end
return answer
