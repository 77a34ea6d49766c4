// Which history a dataset belongs to, and how far into it the dataset is.
//
// A history is a stream of commands, named by a random id of 40 hexadecimal digits. Its offset counts the bytes of the
// stream so far: the first byte after offset O has offset O + 1. Whoever holds (id, offset) holds exactly the effects of
// the first `offset` bytes of `id`. Two who name the same id can therefore tell who is behind, and by which bytes.
//
// A history forks when somebody else begins to write: the bytes up to the fork are shared, what follows is not. So the new
// writer takes a new id and remembers the old one as `id2`, good for requests up to `second_offset` (the first byte that
// the two no longer share). Followers of the old writer that are not beyond the fork go on without a full synchronisation.
// One earlier id is remembered, not a chain of them.
//
// The rules:
//   fork         a replica is promoted: it was in `id`, now it writes its own.
//   restart      the bytes that would let anybody catch up are gone (the backlog was freed, or is begun only now): a new id
//                without a past, so that nobody who counted with the former one can be taken for in step.
//   adopt        a full synchronisation: id and offset are the primary's, the own past is void.
//   continue_as  a partial one. The primary may name a new id (it forked): the present one becomes id2.
//   resumed      a process starts from what it had saved. It cannot know whether bytes were sent that were not saved, so it
//                must not write under the saved id; it forks from it. Until it has written a byte or given its new id to a
//                follower nothing diverges though: demoted in this state it reports the saved id and rejoins without a
//                full synchronisation, as if it had never been away.
//
// Every change of the dataset must be in the stream, or nobody can tell who is behind: a server that changes its data while it
// keeps no stream calls restart() when it begins one, and no later than before it reports its history to anybody.
//
// Invariants: id2 is empty exactly when second_offset is -1; second_offset <= offset + 1.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vedette {

/// A point in a history: everything up to and including byte `offset` of `id`.
struct HistoryPoint {
  std::string id;
  uint64_t offset = 0;
  bool operator==(const HistoryPoint&) const = default;
};

struct History {
  std::string id;
  std::string id2;  ///< the history that this one forked from; empty: none
  uint64_t offset = 0;
  int64_t second_offset = -1;  ///< first byte that is no longer shared with id2; -1: none
  bool as_resumed = false;     ///< nothing has happened since resumed(): this is still a point of id2

  /// `bytes` were added to the stream.
  void advance(uint64_t bytes);
  void fork(std::string new_id);
  void restart(std::string new_id);
  void adopt(std::string primary_id, uint64_t primary_offset);
  /// `new_id`: what the primary's answer named, empty if it named none. The past that is kept is that of reported().
  void continue_as(std::string new_id);
  void resumed(std::string loaded_id, uint64_t loaded_offset, std::string new_id);
  /// A follower has been told `id`, or a snapshot carries it to somebody: from now on others may know it.
  void announced() { as_resumed = false; }

  /// What to present when following somebody: PSYNC asks for `id` from `offset` + 1 on.
  HistoryPoint reported() const;
};

/// 40 hexadecimal digits, in either case.
bool is_history_id(std::string_view text);

}  // namespace vedette
