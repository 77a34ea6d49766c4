// The table of types.
#include "server/snapshot/value_forms.h"

#include <algorithm>

#include "server/snapshot/command_text.h"
#include "server/snapshot/hash_forms.h"
#include "server/snapshot/list_forms.h"
#include "server/snapshot/set_forms.h"
#include "server/snapshot/sorted_set_forms.h"
#include "server/snapshot/stream_forms.h"
#include "server/snapshot/string_forms.h"
#include "server/store/string_value.h"

namespace vedette {
namespace {

struct WrittenForm {
  ValueType type;
  RdbType (*code)(const Entry&);
  bool (*write)(const Entry&, BlockLog&, const ValueWriteOptions&, ValueProgress&, size_t);
  bool (*print)(const Entry&, BlockLog&, ValueProgress&, size_t);
};
struct ReadForm {
  RdbType code;
  RdbFamily family;  // that of the codes from 22 on; the others are common
  ReadOutcome (*read)(RdbInput&, std::string_view, ValueReading&);
};

// clang-format off
constexpr WrittenForm kWrittenForms[] = {
    {ValueType::kString, string_rdb_type, write_string_slice, print_string_slice},
    {ValueType::kList, list_rdb_type, write_list_slice, print_list_slice},
    {ValueType::kSet, set_rdb_type, write_set_slice, print_set_slice},
    {ValueType::kSortedSet, sorted_set_rdb_type, write_sorted_set_slice, print_sorted_set_slice},
    {ValueType::kHash, hash_rdb_type, write_hash_slice, print_hash_slice},
    {ValueType::kStream, stream_rdb_type, write_stream_slice, print_stream_slice},
};
// clang-format on
// clang-format off
constexpr ReadForm kReadForms[] = {
    {RdbType::kString, RdbFamily::kRedis, read_string_value},
    {RdbType::kList, RdbFamily::kRedis, read_list_elements},
    {RdbType::kListZiplist, RdbFamily::kRedis, read_list_ziplist},
    {RdbType::kListQuicklist, RdbFamily::kRedis, read_list_ziplists},
    {RdbType::kListQuicklist2, RdbFamily::kRedis, read_list_nodes},
    {RdbType::kSet, RdbFamily::kRedis, read_set_value},
    {RdbType::kSetIntset, RdbFamily::kRedis, read_intset_value},
    {RdbType::kSetListpack, RdbFamily::kRedis, read_set_listpack_value},
    {RdbType::kSortedSet, RdbFamily::kRedis, read_sorted_set_of_texts},
    {RdbType::kSortedSet2, RdbFamily::kRedis, read_sorted_set_of_doubles},
    {RdbType::kSortedSetListpack, RdbFamily::kRedis, read_sorted_set_of_listpack},
    {RdbType::kSortedSetZiplist, RdbFamily::kRedis, read_sorted_set_of_ziplist},
    {RdbType::kHash, RdbFamily::kRedis, read_hash_value},
    {RdbType::kHashListpack, RdbFamily::kRedis, read_hash_value},
    {RdbType::kHashListpackEx, RdbFamily::kRedis, read_hash_value},
    {RdbType::kHashMetadata, RdbFamily::kRedis, read_hash_value},
    {RdbType::kHashMetadataPreGa, RdbFamily::kValkey, read_hash_value},
    {RdbType::kHashZiplist, RdbFamily::kRedis, read_hash_value},
    {RdbType::kHashZipmap, RdbFamily::kRedis, read_hash_value},
    {RdbType::kStreamListpacks, RdbFamily::kRedis, read_stream_value},
    {RdbType::kStreamListpacks2, RdbFamily::kRedis, read_stream_value},
    {RdbType::kStreamListpacks3, RdbFamily::kRedis, read_stream_value},
};
// clang-format on

const WrittenForm& written_form(const Entry& entry) {
  for (const WrittenForm& form : kWrittenForms)
    if (form.type == entry.type()) return form;
  panic("a value of a type without a form was to be written", __FILE__, __LINE__);
}

const ReadForm* read_form(RdbFamily family, uint8_t code) {
  for (const ReadForm& form : kReadForms)
    if (uint8_t(form.code) == code && (code < uint8_t(RdbType::kHashMetadataPreGa) || form.family == family)) return &form;
  return nullptr;
}

void print_expiry(const Entry& entry, BlockLog& out) {
  IntegerText text;
  out.append("*3\r\n$9\r\nPEXPIREAT\r\n");
  append_argument(out, entry.key());
  append_argument(out, {text.digits, print_integer(text.digits, entry.expiry_ms())});
}

}  // namespace

RdbType rdb_type_of(const Entry& entry, const ValueWriteOptions& options) {
  const RdbType code = written_form(entry).code(entry);
  return code == RdbType::kHashMetadata && !options.field_expiries ? RdbType::kHash : code;
}

bool write_value_slice(const Entry& entry, BlockLog& out, const ValueWriteOptions& options, ValueProgress& progress, size_t budget_bytes) {
  return written_form(entry).write(entry, out, options, progress, std::max<size_t>(budget_bytes, 1));
}

bool print_entry_slice(const Entry& entry, BlockLog& out, ValueProgress& progress, size_t budget_bytes) {
  if (!written_form(entry).print(entry, out, progress, std::max<size_t>(budget_bytes, 1))) return false;
  if (entry.has_expiry()) print_expiry(entry, out);
  return true;
}

void ValueReading::reset() {
  if (entry) destroy_entry(entry);
  entry = nullptr;
  left = step = 0;
  scratch.clear();
  error.clear();
}

bool can_read_value(RdbFamily family, uint8_t code) { return read_form(family, code) != nullptr; }

ReadOutcome read_value(RdbInput& input, std::string_view key, ValueReading& reading) {
  if (reading.code == uint8_t(RdbType::kString)) return read_string_value(input, key, reading);
  const ReadForm* form = read_form(reading.version.family, reading.code);
  VED_ASSERT(form);
  return form->read(input, key, reading);
}

}  // namespace vedette
