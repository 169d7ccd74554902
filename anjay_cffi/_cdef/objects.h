/* SPDX-License-Identifier: Apache-2.0 */
/* What _glue_dm.h adds; results and ownership are documented there. */
typedef struct anjay_cffi_object_struct anjay_cffi_object_t;

#define ANJAY_CFFI_READS ...
#define ANJAY_CFFI_WRITES ...
#define ANJAY_CFFI_EXECUTES ...
#define ANJAY_CFFI_CREATES ...
#define ANJAY_CFFI_DELETES ...
#define ANJAY_CFFI_MULTIPLE ...
#define ANJAY_CFFI_REMOVES ...

anjay_cffi_object_t *anjay_cffi_object_new(void *handle, anjay_oid_t oid, const char *version, int flags, const uint16_t *rids, const uint8_t *kinds, size_t count);
void anjay_cffi_object_delete(anjay_cffi_object_t *object);
const anjay_dm_object_def_t *const *anjay_cffi_object_def(anjay_cffi_object_t *object);
int anjay_cffi_object_set(anjay_cffi_object_t *object, const uint16_t *iids, const uint8_t *present, size_t count);
int anjay_cffi_in_handler(void);
struct anjay_cffi_notice_struct {
    anjay_cffi_loop_t *loop;
    anjay_t *anjay;
    anjay_cffi_object_t *object;
    uint16_t iid;
    uint16_t count;
    uint16_t rids[];
};
int anjay_cffi_notify_all(const anjay_cffi_notice_t *notice);
void anjay_cffi_object_set_present(anjay_cffi_object_t *object, uint16_t iid, size_t index, int present);

extern "Python+C" {
    int anjay_cffi_dm_read(void *handle, uint16_t iid, size_t index, int32_t riid, anjay_output_ctx_t *ctx);
    int anjay_cffi_dm_write(void *handle, uint16_t iid, size_t index, int32_t riid, anjay_input_ctx_t *ctx);
    int anjay_cffi_dm_execute(void *handle, uint16_t iid, size_t index, anjay_execute_ctx_t *ctx);
    int anjay_cffi_dm_riids(void *handle, uint16_t iid, size_t index, anjay_dm_list_ctx_t *ctx);
    int anjay_cffi_dm_reset(void *handle, uint16_t iid, int64_t index);
    int anjay_cffi_dm_remove_element(void *handle, uint16_t iid, size_t index, uint16_t riid);
    int anjay_cffi_dm_create(void *handle, uint16_t iid);
    int anjay_cffi_dm_delete(void *handle, uint16_t iid);
    int anjay_cffi_dm_transaction(void *handle, int what);
}
