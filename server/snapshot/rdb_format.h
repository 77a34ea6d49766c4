// The RDB format, as Redis publishes and shows it: what its bytes are called.
//
//   "REDIS" and four digits of version (Valkey's own: "VALKEY" and three), then records, then the checksum:
//     an opcode (see RdbOpcode) with what belongs to it, or
//     a value's type code, the key, the value.
//   Lengths: 00xxxxxx | 01xxxxxx + 1 byte | 10000000 + 4 bytes, big-endian | 10000001 + 8 bytes, big-endian.
//   Strings: a length and the bytes, or 11000000 + int8 | 11000001 + int16 | 11000010 + int32
//   (little-endian), which stand for the decimal text, or 11000011 + packed length + length + LZF. The
//   checksum is CRC-64 over everything before it, little-endian; 0 says that there is none. From version 5
//   on.
//
// The codes 22 and 23 mean different things in the two families: the magic decides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vedette {

/// What is written: the newest that Redis 7.0 loads.
inline constexpr int kRdbVersionWritten = 10;

/// Whose numbering a file follows.
enum class RdbFamily : uint8_t { kRedis, kValkey };

struct RdbVersion {
  RdbFamily family = RdbFamily::kRedis;
  int number = kRdbVersionWritten;

  bool has_checksum() const { return number >= 5; }
  bool operator==(const RdbVersion&) const = default;
};

/// The newest of each family that is read: Redis 7.4's and Valkey 9's.
inline constexpr int kRdbVersionMax = 12, kValkeyRdbVersionMin = 80, kValkeyRdbVersionMax = 80;
inline constexpr size_t kRdbMagicBytes = 9;

enum class RdbOpcode : uint8_t {
  kSlotImport = 243,     ///< Valkey 9: a slot's migration under way
  kSlotInfo = 244,       ///< a hint: slot, keys, expiries
  kFunction2 = 245,      ///< a library of functions
  kFunctionPreGa = 246,  ///< the same in release candidates of 7.0
  kModuleAux = 247,
  kIdle = 248,       ///< of the next key: seconds since its last use
  kFrequency = 249,  ///< of the next key: its LFU counter
  kAux = 250,
  kResizeDb = 251,
  kExpireTimeMs = 252,  ///< of the next key: ms since the Unix epoch, int64
  kExpireTime = 253,    ///< of the next key: seconds, int32
  kSelectDb = 254,
  kEndOfFile = 255,
};
inline constexpr uint8_t kRdbFirstOpcode = uint8_t(RdbOpcode::kSlotImport);

enum class RdbType : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kSortedSet = 3,
  kHash = 4,
  kSortedSet2 = 5,
  kModulePreGa = 6,
  kModule2 = 7,
  kHashZipmap = 9,
  kListZiplist = 10,
  kSetIntset = 11,
  kSortedSetZiplist = 12,
  kHashZiplist = 13,
  kListQuicklist = 14,
  kStreamListpacks = 15,
  kHashListpack = 16,
  kSortedSetListpack = 17,
  kListQuicklist2 = 18,
  kStreamListpacks2 = 19,
  kSetListpack = 20,
  kStreamListpacks3 = 21,
  kHashMetadataPreGa = 22,    ///< Redis 7.4's candidates; Valkey 9: a hash whose fields expire
  kHashListpackExPreGa = 23,  ///< Redis 7.4's candidates
  kHashMetadata = 24,
  kHashListpackEx = 25,
};

/// "list-quicklist-2"; empty for a code that the family does not have.
std::string_view rdb_type_name(RdbFamily family, uint8_t code);

namespace rdb {

inline constexpr uint8_t kLength14 = 0x40, kLength32 = 0x80, kLength64 = 0x81;
inline constexpr uint8_t kInt8 = 0xc0, kInt16 = 0xc1, kInt32 = 0xc2, kLzf = 0xc3;
inline constexpr size_t kLengthBytesMax = 9;
/// Texts longer than this are no encoded integers.
inline constexpr size_t kIntegerTextMax = 11;

/// Writes a length in its shortest form; returns the bytes taken (1 to 9).
size_t put_length(char* to, uint64_t length);
/// Writes an integer that takes at most 32 bits in its shortest form; returns the bytes taken, or 0 if it is
/// wider.
size_t put_integer(char* to, int64_t value);

}  // namespace rdb
}  // namespace vedette
