-- slots: the sessions that a user has beside the main one. Their slots are members of one set; their keys are those of the main session with
-- the slot in the place of 'main', so they are of the same slot of a Cluster. Stands before scripts that touch all sessions of a user.

-- the key of the session in a slot, by that of the main one
local function at_slot(main_key, slot) return string.sub(main_key, 1, -5) .. slot end

-- the slots of those that are there; ended ones are taken out of the set
local function other_slots(slots, main_session)
  local there = {}
  local all = redis.pcall('SMEMBERS', slots)
  if all.err then return there end
  for _, slot in ipairs(all) do
    if redis.call('EXISTS', at_slot(main_session, slot)) == 1 then there[#there + 1] = slot else redis.call('SREM', slots, slot) end
  end
  return there
end

