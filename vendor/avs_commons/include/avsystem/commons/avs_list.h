/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Singly linked list. A list is a pointer to its first element's data; NULL is the empty list. The pointer to the next
 * element lies AVS_LIST_SPACE_FOR_NEXT__ bytes before an element's data. Elements come from avs_calloc() (zeroed) and
 * are freed by AVS_LIST_DELETE or AVS_LIST_CLEAR.
 */
#ifndef VENDOR_COMMONS_AVS_LIST_H
#define VENDOR_COMMONS_AVS_LIST_H

#include <avsystem/commons/avs_defs.h>
#include <avsystem/commons/avs_memory.h>

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

struct avs_list_space_for_next_helper_struct__ {
    void *next;
    avs_max_align_t value;
};

#define AVS_LIST_SPACE_FOR_NEXT__ (offsetof(struct avs_list_space_for_next_helper_struct__, value))

#define AVS_LIST(element_type) element_type *

/** Orders two elements as memcmp() would; @p element_size is that of the list's type. */
typedef int (*avs_list_comparator_func_t)(const void *a, const void *b, size_t element_size);

/**
 * What the macros below call. Pointers to a list are pointers to a variable or to an element's place for its
 * successor.
 */
void *avs_list_adjust_allocated_ptr__(void *allocated);
void *avs_list_nth__(void *list, size_t n);
void **avs_list_nth_ptr__(void **list_ptr, size_t n);
void **avs_list_find_ptr__(void **list_ptr, void *element);
void **avs_list_find_by_value_ptr__(void **list_ptr, void *value_ptr, avs_list_comparator_func_t comparator,
                                    size_t value_size);
void *avs_list_tail__(void *list);
void **avs_list_append_ptr__(void **list_ptr);
void *avs_list_append__(void *element, void **list_ptr);
void *avs_list_insert__(void *list_to_insert, void **insert_ptr);
void *avs_list_detach__(void **to_detach_ptr);
size_t avs_list_size__(const void *list);
void avs_list_sort__(void **list_ptr, avs_list_comparator_func_t comparator, size_t element_size);
int avs_list_is_cyclic__(const void *list);
void *avs_list_simple_clone__(void *list, size_t elem_size);
void avs_list_merge__(void **target_ptr, void **source_ptr, avs_list_comparator_func_t comparator, size_t element_size);

/** The place where an element keeps its successor. */
static inline void **avs_list_next_slot__(const void *element) {
    return (void **) ((char *) (intptr_t) element - AVS_LIST_SPACE_FOR_NEXT__);
}

/** The next element, or NULL. */
#define AVS_LIST_NEXT(element) ((__typeof__(element)) *avs_list_next_slot__(element))
#define AVS_LIST_NEXT_PTR(element_ptr) ((__typeof__(*(element_ptr)) *) (void *) avs_list_next_slot__(*(element_ptr)))
/** Moves a variable to the next element. */
#define AVS_LIST_ADVANCE(element_ptr) ((void) (*(element_ptr) = AVS_LIST_NEXT(*(element_ptr))))
#define AVS_LIST_ADVANCE_PTR(element_ptr_ptr) ((void) (*(element_ptr_ptr) = AVS_LIST_NEXT_PTR(*(element_ptr_ptr))))

#define AVS_LIST_ITERATE(element) for (; (element); AVS_LIST_ADVANCE(&(element)))
#define AVS_LIST_FOREACH(element, list) for ((element) = (list); (element); AVS_LIST_ADVANCE(&(element)))
#define AVS_LIST_ITERATE_PTR(element_ptr) for (; *(element_ptr); AVS_LIST_ADVANCE_PTR(&(element_ptr)))
#define AVS_LIST_FOREACH_PTR(element_ptr, list_ptr) \
    for ((element_ptr) = (list_ptr); *(element_ptr); AVS_LIST_ADVANCE_PTR(&(element_ptr)))
/** As AVS_LIST_FOREACH_PTR; the body may delete `*element_ptr`. @p helper_element is a variable of the element's type. */
#define AVS_LIST_DELETABLE_FOREACH_PTR_VALID(element_ptr, helper_element) \
    (*(element_ptr) && (((helper_element) = *(element_ptr)), 1))
#define AVS_LIST_DELETABLE_FOREACH_PTR(element_ptr, helper_element, list_ptr)           \
    for ((element_ptr) = (list_ptr);                                                    \
         AVS_LIST_DELETABLE_FOREACH_PTR_VALID(element_ptr, helper_element);             \
         (element_ptr) = *(element_ptr) == (helper_element) ? AVS_LIST_NEXT_PTR(element_ptr) : (element_ptr))

#define AVS_LIST_NTH(list, n) ((__typeof__(list)) avs_list_nth__((list), (n)))
#define AVS_LIST_NTH_PTR(list_ptr, n) \
    ((__typeof__(list_ptr)) (void *) avs_list_nth_ptr__((void **) (intptr_t) (list_ptr), (n)))
#define AVS_LIST_FIND_PTR(list_ptr, element) \
    ((__typeof__(list_ptr)) (void *) avs_list_find_ptr__((void **) (intptr_t) (list_ptr), (void *) (intptr_t) (element)))
#define AVS_LIST_FIND_BY_VALUE_PTR(list_ptr, value_ptr, comparator)                                              \
    ((__typeof__(list_ptr)) (void *) avs_list_find_by_value_ptr__(                                               \
            (void **) (intptr_t) (list_ptr), (void *) (intptr_t) (value_ptr), (comparator), sizeof(*(value_ptr))))
#define AVS_LIST_TAIL(list) ((__typeof__(list)) avs_list_tail__(list))
#define AVS_LIST_APPEND_PTR(list_ptr) \
    ((__typeof__(list_ptr)) (void *) avs_list_append_ptr__((void **) (intptr_t) (list_ptr)))

/** A zeroed element with @p size bytes of data, in no list; NULL when memory ran out. */
#define AVS_LIST_NEW_BUFFER(size) avs_list_adjust_allocated_ptr__(avs_calloc(1, AVS_LIST_SPACE_FOR_NEXT__ + (size)))
#define AVS_LIST_NEW_ELEMENT(type) ((type *) AVS_LIST_NEW_BUFFER(sizeof(type)))
/** Puts an element, or a whole list, before `*destination_element_ptr`. @returns the element. */
#define AVS_LIST_INSERT(destination_element_ptr, new_element) \
    ((__typeof__(new_element)) avs_list_insert__((new_element), (void **) (intptr_t) (destination_element_ptr)))
#define AVS_LIST_INSERT_NEW(type, destination_element_ptr) \
    ((type *) avs_list_insert__(AVS_LIST_NEW_ELEMENT(type), (void **) (intptr_t) (destination_element_ptr)))
#define AVS_LIST_APPEND(list_ptr, new_element) \
    ((__typeof__(new_element)) avs_list_append__((new_element), (void **) (intptr_t) (list_ptr)))
#define AVS_LIST_APPEND_NEW(type, list_ptr) \
    ((type *) avs_list_append__(AVS_LIST_NEW_ELEMENT(type), (void **) (intptr_t) (list_ptr)))
/** Takes the element out of its list without freeing it. */
#define AVS_LIST_DETACH(element_to_detach_ptr) \
    ((__typeof__(*(element_to_detach_ptr))) avs_list_detach__((void **) (intptr_t) (element_to_detach_ptr)))
/** Takes the element out and frees it. */
#define AVS_LIST_DELETE(element_to_delete_ptr) \
    avs_free((void *) avs_list_next_slot__(avs_list_detach__((void **) (intptr_t) (element_to_delete_ptr))))
/** Frees every element; a statement that follows runs before each is freed. */
#define AVS_LIST_CLEAR(first_element_ptr) for (; *(first_element_ptr); AVS_LIST_DELETE(first_element_ptr))
#define AVS_LIST_SIZE(list) avs_list_size__(list)
/** Stable sort. */
#define AVS_LIST_SORT(list_ptr, comparator) \
    avs_list_sort__((void **) (intptr_t) (list_ptr), (comparator), sizeof(**(list_ptr)))
/** A list of bytewise copies; NULL when memory ran out. */
#define AVS_LIST_SIMPLE_CLONE(list) ((__typeof__(list)) avs_list_simple_clone__((list), sizeof(*(list))))
#define AVS_LIST_MERGE(target_ptr, source_ptr, comparator)                                       \
    avs_list_merge__((void **) (intptr_t) (target_ptr), (void **) (intptr_t) (source_ptr), (comparator), \
                     sizeof(**(target_ptr)))
#define AVS_LIST_IS_CYCLIC avs_list_is_cyclic__

#ifdef __cplusplus
}
#endif

#endif /* VENDOR_COMMONS_AVS_LIST_H */
