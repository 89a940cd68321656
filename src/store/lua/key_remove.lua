-- key_remove: a caller takes an API key away; it lets nobody in from now on, and runs that were begun with it are to stop. One that waits finds
-- out when it is taken (begun_with).
-- KEYS 1 account 2 revoked 3 session 4 slots   ARGV 1 token id 2 issued ms 3 requests/min 4 name
-- returns {'OK', 1 removed or 0 there is none of that name, a run that is told to stop, ms left of its lease, …} | {'REVOKED'} | {'LIMITED', ms}
local a, refused = let_in(KEYS[1], KEYS[2], ARGV[1], ARGV[2], ARGV[3])
if not a then return refused end
local answer = {'OK', 0}
local field
each_key(KEYS[1], false, function(found, _, _, _, name) if name == ARGV[4] then field = found end end)
if not field then return answer end
answer[2] = redis.call('HDEL', KEYS[1], field)
local function stop(session)
  -- a session that cannot be read runs nothing
  local s = redis.pcall('HMGET', session, 'rid', 'by', 'lu', 'cx')
  if not s.err and s[1] and s[1] ~= '' and s[2] == s[1] .. '|' .. field then
    answer[#answer + 1] = s[1]
    answer[#answer + 1] = math.max(0, (tonumber(s[3] or '0') or 0) - now)
    if not s[4] then redis.call('HSET', session, 'cx', 'revoked') end
  end
end
stop(KEYS[3])
for _, slot in ipairs(other_slots(KEYS[4], KEYS[3])) do stop(at_slot(KEYS[3], slot)) end
return answer
