// Replies as a script sees them, and what a script returns as a reply.
//
//   a reply                    in a script                          and back
//   integer                    number                               integer, what is behind the point is cut off
//   bulk string                string                               bulk string
//   status                     {ok = text}                          status
//   error                      {err = text}                         error
//   array                      table, from 1 on                     array, up to the first nil
//   null (RESP2)               false                                null
//   null (RESP3)               nil                                  null
//   boolean                    boolean                              true: 1, false: null; after setresp(3) a boolean
//   double                     {double = number}                    double
//   big number                 {big_number = text}                  big number
//   verbatim string            {verbatim_string = {format, string}} verbatim string
//   map                        {map = table}                        map
//   set                        {set = {[element] = true}}           set
//
// Attributes are passed over. What else a script may return is null.
#pragma once

#include <lua.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "common/resp/reply_writer.h"

namespace vedette {

/// Pushes the one reply that `bytes` is, of a command called here. True if it is an error.
bool push_reply(lua_State* state, std::string_view bytes);

/// Pushes {err = text}. `counted`: the error has been counted already when it was found.
void push_error_table(lua_State* state, std::string_view text, bool counted);

/// Who is told while a result is written.
class ValueListener {
 public:
  virtual ~ValueListener() = default;
  /// An error was written. `counted`: the error has been counted already.
  virtual void on_error(std::string_view text, bool counted) = 0;
  /// There is no use in going on: nothing more is written, and the reply is not whole. Asked every few hundred values, and before
  /// large ones.
  virtual bool is_lost() = 0;
};
/// Writes the value at the top of the stack as the reply. `booleans`: as such, not as 1 and null.
void write_value(lua_State* state, ReplyWriter& reply, bool booleans, ValueListener& listener);

}  // namespace vedette
