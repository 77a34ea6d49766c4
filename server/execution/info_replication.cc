// INFO replication.
#include "server/execution/info_text.h"

namespace vedette {

void write_replication_info(InfoText& out, const ServerState&, const Now&) {
  out.field("role", "master");
  out.field("connected_slaves", 0);
  out.field("master_failover_state", "no-failover");
  out.field("master_replid", std::string(40, '0'));
  out.field("master_replid2", std::string(40, '0'));
  out.field("master_repl_offset", 0);
  out.field("second_repl_offset", -1);
  out.zeros({"repl_backlog_active", "repl_backlog_size", "repl_backlog_first_byte_offset", "repl_backlog_histlen"});
}

}  // namespace vedette
