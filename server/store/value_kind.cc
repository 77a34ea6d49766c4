// The table of types.
#include "server/store/value_kind.h"

#include "server/store/digest.h"
#include "server/store/hash_value.h"
#include "server/store/list_value.h"
#include "server/store/set_value.h"
#include "server/store/sorted_set_value.h"
#include "server/store/stream_value.h"
#include "server/store/string_value.h"

namespace vedette {
namespace {

void digest_string(const Entry& entry, DigestMixer& digest) {
  IntegerText text;
  digest.add_ordered(string_bytes(entry, text));
}

constexpr ValueKind kStringKind = {
    ValueType::kString,
    [](void* buffer) { StringBuffer::free(static_cast<StringBuffer*>(buffer)); },
    [](const void* buffer) { return static_cast<const StringBuffer*>(buffer)->memory_bytes(); },
    [](const void* buffer) -> void* { return StringBuffer::copy_of(static_cast<const StringBuffer*>(buffer)->bytes()); },
    digest_string,
    string_encoding_name,
    [](const Entry&) -> size_t { return 1; },
};

// By ValueType.
constexpr const ValueKind* kKinds[] = {&kStringKind, &kListKind, &kSetKind, &kSortedSetKind, &kHashKind, nullptr, &kStreamKind};

}  // namespace

const ValueKind& kind_of(ValueType type) {
  VED_ASSERT(size_t(type) < std::size(kKinds) && kKinds[size_t(type)]);
  return *kKinds[size_t(type)];
}

}  // namespace vedette
