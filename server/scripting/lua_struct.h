// The library `struct`: values to bytes and back, by a format as in C. The source is Roberto Ierusalimschy's description of the library
// of that name.
//
//   > < =     big endian, little endian, the machine's own (which it is at the beginning)
//   !n        alignment to n bytes at most; ! alone: to that of the machine. Without, nothing is aligned.
//   x         a byte of nothing
//   b B h H l L T i I    integers: signed char, unsigned char, short, long, size_t, int; in with their size (iN, IN)
//   f d       float, double
//   s         a string with a zero at its end
//   cN        N bytes; c0: as many as the string has, or as the number before says
//   (blank)   nothing
#pragma once

#include <lua.hpp>

namespace vedette {

/// Adds it to the state's open table of globals.
void open_struct(lua_State* state);

}  // namespace vedette
