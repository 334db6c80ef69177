# Brings Flux back onto a rebuilt cluster; Flux then takes over what this installs, and syncs. Not for a cluster that
# still runs the classic install: there the guards in Git come first.
#
#   export KUBE_CONFIG_PATH=~/.kube/config; terraform -chdir=kubernetes/flux/flux-operator/bootstrap init; terraform -chdir=kubernetes/flux/flux-operator/bootstrap apply
#
# Needed before that, in the namespace flux-system, which has to be created for them, or in secrets_yaml:
#
#   Secret deploy-key: nothing in the repository defines it
#   Secret sops-age: nothing in the repository defines it
#   Secret cluster-secrets: sops --decrypt kubernetes/flux/vars/cluster-secrets.sops.yaml | kubectl apply --server-side --namespace flux-system --filename -

terraform {
  required_version = ">= 1.11.0"

  required_providers {
    helm = {
      source  = "hashicorp/helm"
      version = ">= 3.0"
    }
    kubernetes = {
      source  = "hashicorp/kubernetes"
      version = ">= 3.0"
    }
  }
}

variable "revision" {
  description = "Raise it to run the bootstrap once more."
  type        = number
  default     = 1
}

variable "secrets_yaml" {
  description = "Secrets for the namespace of Flux, as YAML documents; empty when they are there already. Leaving one out later deletes it."
  type        = string
  sensitive   = true
}

module "flux_operator_bootstrap" {
  source  = "controlplaneio-fluxcd/flux-operator-bootstrap/kubernetes"
  version = "0.8.0"

  revision = var.revision

  gitops_resources = {
    instance_yaml = file("${path.module}/../instance/instance.yaml")

    prerequisites = {
      yamls = [
        yamlencode({ apiVersion = "v1", kind = "Namespace", metadata = { name = "flux-system" } }),
        file("${path.module}/../../vars/cluster-settings.yaml"),
      ]
    }

    operator_chart = {
      version     = yamldecode(file("${path.module}/../operator/source.yaml")).spec.ref.tag
      values_yaml = yamlencode(try(yamldecode(file("${path.module}/../operator/helmrelease.yaml")).spec.values, {}))
    }
  }

  managed_resources = {
    secrets_yaml = var.secrets_yaml
  }
}
