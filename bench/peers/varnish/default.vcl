# A cache in front of the origin as Varnish's documentation of grace mode shows it: stale answers
# while one request fetches anew in the background; a fetch that fails leaves what there is.
# What stands between at signs is filled in by bench/contenders.py.
vcl 4.1;

backend origin {
  .host = "@ORIGIN_HOST@";
  .port = "@ORIGIN_PORT@";
}

sub vcl_backend_fetch {
  set bereq.http.x-cal-secret-key = "@SECRET@";
}

sub vcl_backend_response {
  if (beresp.status >= 500 && bereq.is_bgfetch) {
    return (abandon);
  }
  if (beresp.status == 200) {
    set beresp.ttl = @FRESH@s;
    set beresp.grace = 1d;
  }
}
