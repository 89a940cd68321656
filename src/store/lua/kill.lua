-- kill: an administrator ends a user's session, or all of them. Nothing is left; runs that hold them are fenced off.
-- KEYS 1 account 2 session 3 history 4 journal 5 waiting 6 runs 7 open 8 kept replies 9 x 10 la 11 sm 12 events 13 slots
-- (of the session that is named, or of the main one)
-- ARGV 1 member 2 what the names of kept replies begin with 3 the id of the session that is named, or '' for all 4 its slot
-- returns how many were ended
local ended_now = 0
local function end_at(session, history, journal, waiting, kept, events, member)
  wipe(KEYS[1], {session, history, journal, waiting, KEYS[6], KEYS[7], kept, events}, member, ARGV[2], 'administrator')
  redis.call('ZREM', KEYS[9], member); redis.call('ZREM', KEYS[10], member); redis.call('HDEL', KEYS[11], member)
  ended_now = ended_now + 1
end

if ARGV[3] == '' then
  for _, slot in ipairs(other_slots(KEYS[13], KEYS[2])) do
    local function at(key) return at_slot(key, slot) end
    -- a list of kept replies is named without a slot for the main session
    end_at(at(KEYS[2]), at(KEYS[3]), at(KEYS[4]), at(KEYS[5]), KEYS[8] .. ':' .. slot, at(KEYS[12]), at(ARGV[1]))
  end
  redis.call('DEL', KEYS[13])
end
local there = redis.pcall('HGET', KEYS[2], 'sid')
local is_there = redis.call('EXISTS', KEYS[2]) == 1
if is_there and (ARGV[3] == '' or there == ARGV[3]) then
  end_at(KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[8], KEYS[12], ARGV[1])
  if ARGV[3] ~= '' then redis.call('SREM', KEYS[13], ARGV[4]) end
end
-- something is written, so that WAIT behind it waits for a kill that was done before and not safe then
if ended_now == 0 and redis.call('EXISTS', KEYS[1]) == 1 then redis.call('HINCRBY', KEYS[1], 'gen', 0) end
return ended_now
