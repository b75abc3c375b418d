/*
 * Lists the images in the store whose name begins with a word: their IDs, names and sizes.
 *
 *	cc image-list.c $(pkg-config --cflags --libs librkt-store) -o image-list
 *	./image-list example.com/
 */
#include <inttypes.h>
#include <stdio.h>

#include <rkt/store.h>

/* Every function that fails makes one error object; its kind is an exit status. */
static int fail(rkt_error *err)
{
	int status = rkt_error_kind(err);

	fprintf(stderr, "image-list: %s\n", rkt_error_message(err));
	rkt_error_free(err);
	return status;
}

int main(int argc, char **argv)
{
	rkt_error *err = NULL;
	rkt_image_record **images;
	rkt_store *store;
	size_t count;
	int status = 0;

	/* NULL: where rkt-store looks, too. Reading needs no lock, and disturbs nobody. */
	store = rkt_store_open(NULL, RKT_STORE_READ, &err);
	if (!store)
		return fail(err);
	if (rkt_store_list_prefix(store, argc > 1 ? argv[1] : "", &images, &count, &err) == 0) {
		for (size_t i = 0; i < count; i++)
			printf("%s %s %" PRIu64 "\n", images[i]->id.text, images[i]->name,
				images[i]->size);
		rkt_store_list_free(images, count);
	} else {
		status = fail(err);
	}
	rkt_store_close(store);
	return status;
}
