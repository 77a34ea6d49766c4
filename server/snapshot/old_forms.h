// Packed forms that older servers wrote: the ziplist and the zipmap. They are only read, and become listpacks at once.
//
// A ziplist: u32 bytes in all, u32 offset of the last entry, u16 entries (65535: count them), the entries, 0xff. An entry:
//   the length of the one before (one byte below 254, or 254 and u32), then
//     00xxxxxx  a string of up to 63 bytes          01xxxxxx + 1  of up to 16383          10...... + u32, big-endian  longer
//     c0, d0, e0: an integer of 2, 4, 8 bytes       f0: of 3      fe: of 1                f1 to fd: 0 to 12
// A zipmap: u8 pairs (254 or more: count them), then pairs of a field (length, bytes) and a value (length, a byte that tells how
// many unused ones follow, bytes, the unused ones), 0xff. A length is one byte below 254, or 254 and u32.
#pragma once

#include <string>
#include <string_view>

namespace vedette {

/// Makes `pack` a listpack of the elements of a ziplist. False: the bytes are no whole ziplist.
bool listpack_of_ziplist(std::string_view ziplist, std::string& pack);
/// Makes `pack` a listpack of the fields and values, one after the other, of a zipmap. False: the bytes are
/// no whole zipmap, or one without pairs, which has never been written.
bool listpack_of_zipmap(std::string_view zipmap, std::string& pack);

}  // namespace vedette
