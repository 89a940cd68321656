-- ends: sessions end before their time, with their places in the index. Stands after wipe and slots, before every script that ends one for
-- good. All of them have these keys first, those of the main session unless one is named:
-- KEYS 1 account 2 session 3 history 4 journal 5 waiting 6 runs 7 open 8 kept replies 9 x 10 la 11 sm 12 events 13 slots
local function end_at(session, history, journal, waiting, kept, events, member, results_prefix, detail)
  wipe(KEYS[1], {session, history, journal, waiting, KEYS[6], KEYS[7], kept, events}, member, results_prefix, detail)
  redis.call('ZREM', KEYS[9], member); redis.call('ZREM', KEYS[10], member); redis.call('HDEL', KEYS[11], member)
end

-- the session of the keys
local function end_this(member, results_prefix, detail)
  end_at(KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[8], KEYS[12], member, results_prefix, detail)
end

-- those beside the main one, where the keys are the main one's; returns how many it were
local function end_others(member, results_prefix, detail)
  local others = other_slots(KEYS[13], KEYS[2])
  for _, slot in ipairs(others) do
    local function at(key) return at_slot(key, slot) end
    -- a list of kept replies is named without a slot for the main session
    end_at(at(KEYS[2]), at(KEYS[3]), at(KEYS[4]), at(KEYS[5]), KEYS[8] .. ':' .. slot, at(KEYS[12]), at(member), results_prefix, detail)
  end
  redis.call('DEL', KEYS[13])
  return #others
end

