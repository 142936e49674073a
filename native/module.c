/*
 * What JavaScript sees of the addon: src/native/addon.ts gives each function its type.
 */
#include "winsockd.h"

static const struct {
  const char *name;
  napi_callback function;
} exports_table[] = {
    {"open", open_device},
    {"adopt", adopt_device},
    {"close", close_device},
    {"describe", describe_device},
    {"setPersist", set_persist},
    {"readBatch", read_batch},
    {"writeBatch", write_batch},
    {"watch", watch_device},
    {"getInterface", get_interface},
    {"setInterface", set_interface},
    {"changeAddress", change_address},
    {"listAddresses", list_addresses},
    {"changeRoute", change_route},
    {"peerCredentials", peer_credentials},
    {"dropPrivileges", drop_privileges},
};

NAPI_MODULE_INIT() {
  for (size_t i = 0; i < sizeof exports_table / sizeof *exports_table; i++) {
    napi_value function;
    if (napi_create_function(env, exports_table[i].name, NAPI_AUTO_LENGTH, exports_table[i].function, NULL,
                             &function) != napi_ok ||
        napi_set_named_property(env, exports, exports_table[i].name, function) != napi_ok) {
      return NULL;
    }
  }
  return exports;
}
