# The program itself, without a container, or the image of `make container` with driver = "podman".
job "mrg-dns" {
  type = "system"

  group "dns" {
    network {
      port "dns" { static = 53 }
      port "metrics" {}
    }

    task "mrg-dns" {
      driver = "exec"

      config {
        command = "/usr/local/bin/mrg-dns"
        args    = ["--config", "local/mrg-dns.conf"]
        cap_add = ["net_bind_service"]
      }

      template {
        destination   = "local/mrg-dns.conf"
        change_mode   = "signal" # it reads all zones again
        change_signal = "SIGHUP"
        data          = <<EOF
listen {{ env "NOMAD_IP_dns" }}:53
metrics {{ env "NOMAD_ADDR_metrics" }}
zone example.org {
  file local/example.org.zone
}
EOF
      }

      template {
        destination   = "local/example.org.zone"
        change_mode   = "signal"
        change_signal = "SIGHUP"
        data          = <<EOF
$TTL 3600
@   SOA ns1 hostmaster 1 7200 900 1209600 300
@   NS  ns1
ns1 A   192.0.2.53
EOF
      }

      service {
        name = "dns"
        port = "dns"

        check {
          type     = "tcp"
          interval = "10s"
          timeout  = "2s"
        }
      }

      resources {
        cpu    = 100
        memory = 64
      }
    }
  }
}
